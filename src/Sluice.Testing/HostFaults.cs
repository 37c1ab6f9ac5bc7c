using Sluice.Primitives;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Links;

namespace Sluice.Testing;

/// <summary>
/// What goes wrong on one simulated host, on demand. Error numbers are Linux's: 104 is ECONNRESET, 110 ETIMEDOUT, 24 EMFILE. Used between
/// the passes of the host's loop or on it.
/// </summary>
public sealed class HostFaults
{
    private readonly SimulatedNetwork _network;
    private readonly SimulatedMachine _host;
    private readonly Queue<IoError> _reads = new();
    private readonly Queue<IoError> _writes = new();
    private readonly Queue<IoError> _files = new();
    private readonly Queue<IoError> _accepts = new();
    private readonly Queue<IoError> _connects = new();
    private readonly Queue<IoError> _sends = new();
    private readonly Queue<IoError> _receives = new();
    private readonly Queue<IoError> _spawns = new();
    private readonly List<Link> _stalled = [];
    private int _lostStatuses;

    internal HostFaults(SimulatedNetwork network, SimulatedMachine host)
    {
        _network = network;
        _host = host;
    }

    /// <summary>Datagrams that are sent find no room, as in front of a network card that stands still: see <see cref="BlockSends"/>.</summary>
    internal bool BlocksSends { get; private set; }

    /// <summary>The host's links are stalled: datagrams from and to it do not arrive.</summary>
    internal bool HoldsDatagrams { get; private set; }

    internal bool HasReceive => _receives.Count > 0;

    internal bool HasRead => _reads.Count > 0;

    /// <summary>The next read of any connection fails instead of giving bytes or the end.</summary>
    /// <param name="errno">The error.</param>
    public void FailNextRead(int errno) => _reads.Enqueue(new IoError(errno));

    /// <summary>The next write of any connection fails and takes nothing.</summary>
    /// <param name="errno">The error.</param>
    public void FailNextWrite(int errno) => _writes.Enqueue(new IoError(errno));

    /// <summary>
    /// The next attempt of the kernel to send a part of a file fails: 22 (EINVAL) and similar errors say that it cannot be done for this file, 5 (EIO) that the disk
    /// is broken.
    /// </summary>
    /// <param name="errno">The error.</param>
    public void FailNextSendFile(int errno) => _files.Enqueue(new IoError(errno));

    /// <summary>
    /// The next accept fails. Would-block (11) and interrupted (4) end the round of accepts, errors of the connection (103 and similar ones) go on with
    /// the next one: both unreported, and what waits in the backlog stays there. Every other error is reported and makes the listener rest for a second; where it says that
    /// there are no descriptors (24, 23), one waiting connection is turned away.
    /// </summary>
    /// <param name="errno">The error.</param>
    public void FailNextAccept(int errno) => _accepts.Enqueue(new IoError(errno));

    /// <summary>The next connect fails.</summary>
    /// <param name="errno">The error.</param>
    public void FailNextConnect(int errno) => _connects.Enqueue(new IoError(errno));

    /// <summary>
    /// The next datagram that is offered to the kernel is refused and lost. Would-block (11) means that there is no room for it just then: it stays where it waits.
    /// </summary>
    /// <param name="errno">The error, such as 105 (ENOBUFS) or 1 (EPERM).</param>
    public void FailNextSend(int errno) => _sends.Enqueue(new IoError(errno));

    /// <summary>The next receive of any datagram endpoint fails instead of giving a datagram. Would-block (11) gives nothing and tells nobody.</summary>
    /// <param name="errno">The error.</param>
    public void FailNextReceive(int errno) => _receives.Enqueue(new IoError(errno));

    /// <summary>From here on UDP endpoints find no room to send, until <see cref="UnblockSends"/>: what they send waits in their own buffers.</summary>
    public void BlockSends() => BlocksSends = true;

    /// <summary>There is room to send again.</summary>
    public void UnblockSends() => BlocksSends = false;

    /// <summary>The next start of a child process fails.</summary>
    /// <param name="errno">The error.</param>
    public void FailNextSpawn(int errno) => _spawns.Enqueue(new IoError(errno));

    /// <summary>The next child to end leaves no exit status, as if another part of the program had asked for it before the loop.</summary>
    public void LoseNextExitStatus() => _lostStatuses++;

    /// <summary>Nothing fails any more that has not failed yet.</summary>
    public void Clear()
    {
        _reads.Clear();
        _writes.Clear();
        _files.Clear();
        _accepts.Clear();
        _connects.Clear();
        _sends.Clear();
        _receives.Clear();
        _spawns.Clear();
        _lostStatuses = 0;
    }

    /// <summary>Breaks all connections of this host's loops: both ends see a reset, as if a box between them had sent it.</summary>
    public void ResetConnections()
    {
        foreach (var socket in _host.HeldSockets())
        {
            socket.TakeReset();
            socket.Outgoing.SendReset();
        }
    }

    /// <summary>Holds back everything that travels to and from this host until <see cref="ReleaseLinks"/>.</summary>
    public void StallLinks()
    {
        HoldsDatagrams = true;
        foreach (var socket in _host.HeldSockets())
        {
            Stall(socket.Outgoing);
            Stall(socket.Incoming);
        }
    }

    /// <summary>Lets through again what <see cref="StallLinks"/> holds back, also where this host has let go of its end meanwhile.</summary>
    public void ReleaseLinks()
    {
        foreach (var link in _stalled) link.Stall(false);
        _stalled.Clear();
        HoldsDatagrams = false;
        _network.Carrier.ReleaseHeld();
        _network.RunDueEvents();
    }

    internal bool TryTakeSend(out IoError error) => _sends.TryDequeue(out error);

    internal bool TryTakeReceive(out IoError error) => _receives.TryDequeue(out error);

    internal bool TryTakeRead(out IoError error) => _reads.TryDequeue(out error);

    internal bool TryTakeWrite(out IoError error) => _writes.TryDequeue(out error);

    internal bool TryTakeSendFile(out IoError error) => _files.TryDequeue(out error);

    internal bool TryTakeAccept(out IoError error) => _accepts.TryDequeue(out error);

    internal bool TryTakeConnect(out IoError error) => _connects.TryDequeue(out error);

    internal bool TryTakeSpawn(out IoError error) => _spawns.TryDequeue(out error);

    internal bool TryTakeLostStatus() => _lostStatuses > 0 && _lostStatuses-- > 0;

    private void Stall(Link link)
    {
        link.Stall(true);
        _stalled.Add(link);
    }
}
