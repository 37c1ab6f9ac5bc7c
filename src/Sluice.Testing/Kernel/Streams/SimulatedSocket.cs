using System.Net;
using Sluice.Primitives;
using Sluice.Testing.Kernel.Links;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>
/// One end of a connection as the kernel sees it, with or without a program that holds it. Owned by whoever holds its descriptor: a
/// backlog, a handle, a channel.
/// </summary>
/// <remarks>
/// Errors follow Linux. After a reset, a TCP socket still gives what had arrived, then fails one read with ECONNRESET, then reads the end of the
/// stream; a write fails with that error if no read has taken it, and with EPIPE afterwards. A reset behind a FIN shows as EPIPE to writes
/// only. A Unix socket whose peer closed over unread bytes gives what had arrived, then ECONNRESET once; its writes fail with EPIPE.
/// </remarks>
internal sealed class SimulatedSocket
{
    private readonly SimulatedNetwork _network;
    private readonly int _boot;
    private IoError _error;
    private int _holders = 1;
    private bool _finSent;
    private bool _isReset;

    private SimulatedSocket(SimulatedNetwork network, bool isUnix, Station station, EndPoint? peer, KernelDice dice)
    {
        _network = network;
        _boot = station.Machine.Boots;
        Station = station;
        IsUnix = isUnix;
        PeerName = peer;
        Dice = dice;
        Number = network.NextDescriptor();
        Id = network.NextSocketId();
    }

    public bool IsUnix { get; }

    public Station Station { get; }

    public SimulatedMachine Machine => Station.Machine;

    public EndPoint? LocalName => Station.Name;

    public EndPoint? PeerName { get; }

    /// <summary>A number in the place of a descriptor: larger than any real one.</summary>
    public int Number { get; }

    /// <summary>Called once the descriptor is closed, where it holds more than its number.</summary>
    public Action? Released { get; set; }

    /// <summary>Counts the sockets of a network; unlike <see cref="Number"/> it never comes back.</summary>
    public int Id { get; }

    /// <summary>Decides for this connection, both ends.</summary>
    public KernelDice Dice { get; }

    /// <summary>Who made the other end of a Unix socket, or null.</summary>
    public PeerCredentials? PeerCredentials { get; set; }

    /// <summary>Closed for good: what arrives now is answered with a reset.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Its host has crashed since it was made.</summary>
    public bool IsVanished => Machine.Boots != _boot;

    public bool FinSent => _finSent;

    /// <summary>Reset or timed out: of no use any more.</summary>
    public bool IsBroken => _isReset;

    public Link Incoming { get; private set; } = null!;

    public Link Outgoing { get; private set; } = null!;

    /// <summary>SO_LINGER, in seconds, where somebody has set it.</summary>
    public int? Linger { get; set; }

    /// <summary>SO_RCVLOWAT: fewer bytes are not reported.</summary>
    public int ReceiveLowWater { get; set; } = 1;

    /// <summary>A read would give bytes, the end or an error.</summary>
    public bool CanRead => Incoming.Unread >= ReceiveLowWater || Incoming.FinArrived || _isReset || !_error.IsNone;

    /// <summary>A write would take bytes or fail.</summary>
    public bool CanWrite => WriteFails || Outgoing.Room > 0;

    public SimulatedSocket Peer { get; private set; } = null!;

    private bool WriteFails => _isReset || _finSent || (IsUnix && Peer.IsGone);


    public static (SimulatedSocket Client, SimulatedSocket Server) Connect(
        SimulatedNetwork network, bool isUnix, Station from, Station to, KernelDice dice, int? capacity = null)
    {
        var client = new SimulatedSocket(network, isUnix, from, to.Name, dice);
        var server = new SimulatedSocket(network, isUnix, to, from.Name, dice);
        var way = isUnix ? null : network.LinkBetween(from.Machine, to.Machine);
        (client.Peer, server.Peer) = (server, client);
        client.Outgoing = server.Incoming = new Link(network, client, server, way, capacity);
        server.Outgoing = client.Incoming = new Link(network, server, client, way, capacity);
        return (client, server);
    }

    /// <summary>Gives what has arrived. Nothing, no end and no error: a read would block.</summary>
    public int Read(Span<byte> target, out bool end, out IoError error)
    {
        end = false;
        error = IoError.None;
        if (Incoming.Unread > 0)
        {
            var count = Math.Min(target.Length, Incoming.Unread);
            Incoming.Read(target[..count]);
            _network.Trace.Add(KernelEvent.Read, Id, count, this);
            return count;
        }

        // A TCP socket that has read the peer's FIN never reports a later reset to a read; a Unix socket reports the error first.
        if (!_error.IsNone && (IsUnix || !Incoming.FinArrived)) error = TakeError();
        else end = Incoming.FinArrived || _isReset;
        return 0;
    }

    /// <summary>Takes as many bytes as there is room for, perhaps none.</summary>
    public int Write(ReadOnlySpan<byte> data, out IoError error)
    {
        error = IoError.None;
        if (IsVanished) return 0;
        if (WriteFails)
        {
            error = _isReset && !IsUnix && !_error.IsNone ? TakeError() : IoError.BrokenPipe;
            return 0;
        }

        var count = Math.Min(data.Length, Outgoing.Room);
        if (count == 0) return 0;
        _network.Trace.Add(KernelEvent.Write, Id, count, this);
        Outgoing.Send(data[..count]);
        return count;
    }

    public void ShutdownWrite()
    {
        if (_finSent || _isReset || IsVanished) return;
        _finSent = true;
        Outgoing.SendFin();
    }

    /// <summary>TCP_USER_TIMEOUT: breaks the connection where nothing of what was sent has got to the peer for so long, also once it is closed.</summary>
    public void LimitUnacknowledged(TimeSpan timeout)
    {
        var taken = Outgoing.Taken;
        if (Outgoing.Travelling == 0 && (_finSent || IsGone)) return;
        _network.Schedule(_network.Clock.Now + timeout, () =>
        {
            if (_isReset || IsVanished) return;
            if (Outgoing.Travelling == 0 || Outgoing.Taken != taken) LimitUnacknowledged(timeout);
            else if (IsGone) Outgoing.Drop();
            else TimeOut();
        });
    }

    /// <summary>One more descriptor means it: it is closed when all are.</summary>
    public void Hold() => _holders++;

    /// <summary>Closes a descriptor, and with the last one the socket: at once with a reset over TCP where it is asked for or bytes were not read.</summary>
    public void Release(bool reset)
    {
        if (IsGone || --_holders > 0) return;
        if (!IsUnix && !reset && Linger is { } seconds)
        {
            if (seconds > 0 && Outgoing.Travelling > 0) _network.Violated($"a close with SO_LINGER holds the loop for {seconds} s ({this})");
            reset = seconds == 0;
        }

        _network.Trace.Add(KernelEvent.Close, Id, reset ? 1 : 0, this);
        Forget();
        Released?.Invoke();
        var unread = Incoming.Unread > 0;
        Incoming.DropUnread();
        if (IsUnix)
        {
            if (unread) Peer._error = IoError.ConnectionReset;
            ShutdownWrite();
        }
        else if (!_isReset)
        {
            if (reset || unread) Outgoing.SendReset();
            else ShutdownWrite();
        }
    }

    /// <summary>Its host has crashed: it is gone without a word.</summary>
    public void Vanish()
    {
        Forget();
        Outgoing.LoseSender();
        Incoming.LoseReceiver();
    }

    /// <summary>A connect gives it up, and the peer has never heard of it.</summary>
    public void Forget()
    {
        if (IsGone) return;
        IsGone = true;
        _network.Forget(this);
    }

    /// <summary>A reset has arrived.</summary>
    public void TakeReset()
    {
        if (IsGone || _isReset) return;
        _network.Trace.Add(KernelEvent.ConnectionReset, Id, 0, this);
        Break(Incoming.FinArrived ? IoError.BrokenPipe : IoError.ConnectionReset);
    }

    /// <summary>What it sent has been lost too often.</summary>
    public void TimeOut()
    {
        if (IsGone || _isReset) return;
        _network.Trace.Add(KernelEvent.ConnectionTimedOut, Id, 0, this);
        Break(IoError.TimedOut);
    }

    /// <summary>Bytes have arrived for a socket that is gone.</summary>
    public void AnswerWithReset()
    {
        if (!IsUnix) Outgoing.SendReset();
    }

    private void Break(IoError error)
    {
        _isReset = true;
        _error = error;
        Outgoing.Drop();
    }

    private IoError TakeError()
    {
        var error = _error;
        _error = IoError.None;
        return error;
    }

    public override string ToString() => $"{LocalName?.ToString() ?? "(unnamed)"} <-> {PeerName?.ToString() ?? "(unnamed)"}";
}
