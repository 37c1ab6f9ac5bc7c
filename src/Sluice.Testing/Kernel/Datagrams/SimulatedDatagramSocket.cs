using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>
/// A datagram socket as the kernel sees it, with or without a program that holds it. Owned by whoever holds its descriptor: a handle or a channel.
/// </summary>
/// <remarks>
/// Errors follow Linux. An answer that says that nobody listens is kept for the next send or receive of a connected UDP socket, which then does nothing else; others never hear of it.
/// UDP drops what the receiver has no room for. A Unix socket makes its sender wait instead, and refuses who sends to a path without a socket; one whose only peer has gone refuses
/// once and is connected to nobody from then on.
/// </remarks>
internal sealed class SimulatedDatagramSocket
{
    /// <summary>What a datagram takes of a receive buffer beside its payload.</summary>
    public const int Overhead = 128;

    private const int MostToIPv4 = 65_507;
    private const int MostToIPv6 = 65_527;
    private const int MostToUnix = 212_960;
    private const int MostWaitingUnix = 10;

    private readonly Queue<SimulatedDatagram> _arrived = new();
    private readonly Dictionary<int, TimeSpan> _lastDue = [];
    private readonly HashSet<(IPAddress Group, IPAddress? Source)> _memberships = [];
    private SimulatedDatagramSocket? _unixPeer;
    private SimulatedDatagramSocket? _full;
    private IoError _error;
    private int _unread;
    private int _unsent;

    public SimulatedDatagramSocket(SimulatedMachine machine, AddressFamily family, bool isShared = false)
    {
        Machine = machine;
        Family = family;
        IsShared = isShared;
        Dice = Network.NewDice();
        Id = Network.NextSocketId();
        LocalName = IsUnix ? null : new IPEndPoint(AnyOf(family), 0);
        View = new SimulatedTransportSocket(Network.NextDescriptor(), LocalName, peer: null) { Datagrams = this };
        Network.Add(this);
    }

    public SimulatedMachine Machine { get; }

    public SimulatedNetwork Network => Machine.Network;

    public AddressFamily Family { get; }

    public bool IsUnix => Family == AddressFamily.Unix;

    /// <summary>Others may bind the same port, where they share it too.</summary>
    public bool IsShared { get; }

    /// <summary>A number in the place of a descriptor.</summary>
    public int Number => (int)View.Number;

    /// <summary>Counts the sockets of a network.</summary>
    public int Id { get; }

    public KernelDice Dice { get; }

    /// <summary>What users see of it, options included.</summary>
    public SimulatedTransportSocket View { get; }

    public EndPoint? LocalName { get; private set; }

    public EndPoint? PeerName { get; private set; }

    public bool IsConnected { get; private set; }

    /// <summary>The file of a Unix socket that is bound to a path.</summary>
    public SimulatedFile? File { get; private set; }

    /// <summary>Members on its own host hear what it sends to their group.</summary>
    public bool HearsItself { get; set; } = true;

    /// <summary>Multicast datagrams may leave the host.</summary>
    public bool LeavesHost { get; set; } = true;

    public bool IsGone { get; private set; }

    /// <summary>When its host crashed under it.</summary>
    public TimeSpan? VanishedAt { get; private set; }

    /// <summary>Bytes that have arrived and are not read.</summary>
    public int Unread => _unread;

    /// <summary>Bytes that the kernel has taken and that have not left it.</summary>
    public int Unsent => _unsent;

    /// <summary>Of the datagrams that it has taken for sending: payloads, and 8 bytes for each.</summary>
    public long TakenCost { get; private set; }

    /// <summary>The same of those that it has refused for good.</summary>
    public long RefusedCost { get; private set; }

    public bool HasError => !_error.IsNone;

    /// <summary>A receive would give a datagram or an error.</summary>
    public bool CanReceive => _arrived.Count > 0 || HasError;

    /// <summary>A send that found no room would find some, or fail.</summary>
    public bool HasRoom => HasError || (IsUnix ? _full is not { IsGone: false, HasUnixRoom: false } : HasUdpRoom);

    private bool HasUdpRoom => !Machine.Faults.BlocksSends && (_unsent == 0 || _unsent < SendBufferSize);

    private bool HasUnixRoom => _arrived.Count < MostWaitingUnix;

    private int SendBufferSize => SizeOf(SocketOptionName.SendBuffer, Network.Options.SendBufferSize);

    private int ReceiveBufferSize => SizeOf(SocketOptionName.ReceiveBuffer, Network.Options.ReceiveBufferSize);

    /// <summary>Two Unix sockets without names that have each other.</summary>
    public static (SimulatedDatagramSocket First, SimulatedDatagramSocket Second) CreatePair(SimulatedMachine machine)
    {
        var first = new SimulatedDatagramSocket(machine, AddressFamily.Unix);
        var second = new SimulatedDatagramSocket(machine, AddressFamily.Unix);
        (first._unixPeer, second._unixPeer) = (second, first);
        (first.IsConnected, second.IsConnected) = (true, true);
        return (first, second);
    }

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public void Bind(EndPoint local)
    {
        if (local.AddressFamily != Family) throw IoError.InvalidArgument.ToException($"bind to {local}");
        Rename(Machine.Datagrams.Bind(this, local));
        if (SimulatedFiles.PathOf(local) is { } path) File = Machine.Files.Create(path, isSocket: true);
    }

    /// <exception cref="SocketException">It cannot be connected.</exception>
    public void Connect(EndPoint remote)
    {
        var error = IsUnix ? ConnectUnix(remote) : ConnectUdp(remote);
        if (!error.IsNone) throw error.ToException($"connect to {remote}");
        (IsConnected, PeerName) = (true, remote);
        View.Rename(LocalName, PeerName);
    }

    /// <summary>Takes one datagram for an address, or for its only peer.</summary>
    /// <returns>False where there is no room, and where it failed.</returns>
    public bool TrySend(ReadOnlySpan<byte> payload, EndPoint? to, out IoError error)
    {
        var isTaken = Try(payload, to, out error);
        if (isTaken) TakenCost += payload.Length + DatagramQueue.HeaderSize;
        else if (!error.IsNone) Refuse(payload.Length);
        return isTaken;
    }

    /// <summary>A datagram is refused for a reason of its host.</summary>
    public void Refuse(int length) => RefusedCost += length + DatagramQueue.HeaderSize;

    /// <summary>Takes the oldest datagram, or the error that comes before it.</summary>
    /// <returns>False where a receive would block, and where it failed.</returns>
    public bool TryReceive(out SimulatedDatagram datagram, out IoError error)
    {
        datagram = default;
        error = TakeError();
        if (!error.IsNone || !_arrived.TryDequeue(out datagram)) return false;
        _unread -= CostOf(datagram);
        Network.Trace.Add(KernelEvent.Read, Id, datagram.Payload.Length, this);
        return true;
    }

    /// <summary>A datagram has arrived over UDP.</summary>
    public void Take(in SimulatedDatagram datagram)
    {
        if (_unread >= ReceiveBufferSize)
        {
            Network.Trace.Add(KernelEvent.DatagramDropped, Id, datagram.Payload.Length, this);
            return;
        }

        Keep(datagram);
        Network.Trace.Add(KernelEvent.Delivery, Id, datagram.Payload.Length, this, PacketKind.Datagram);
    }

    /// <summary>An answer says that what it sent has found nobody.</summary>
    public void TakeAnswer(IoError answer, EndPoint receiver)
    {
        if (!IsGone && IsConnected && receiver.Equals(PeerName)) _error = answer;
    }

    /// <summary>Begins or ends a membership; there is one network interface only.</summary>
    /// <returns>Why not.</returns>
    public IoError SetMembership(bool join, IPAddress group, IPAddress? source) =>
        join ? _memberships.Add((group, source)) ? IoError.None : IoError.AddressInUse
        : _memberships.Remove((group, source)) ? IoError.None : IoError.AddressNotAvailable;

    /// <summary>Hears what an address sends to a group.</summary>
    public bool IsMember(IPAddress group, IPAddress source) => _memberships.Contains((group, null)) || _memberships.Contains((group, source));

    /// <summary>Keeps order among what leaves for one host.</summary>
    /// <returns>When a datagram arrives that would arrive at <paramref name="due"/> if nothing had left before it.</returns>
    public TimeSpan InOrder(SimulatedMachine target, TimeSpan due)
    {
        if (_lastDue.TryGetValue(target.Number, out var last) && last > due) due = last;
        return _lastDue[target.Number] = due;
    }

    public void Hold(int size) => _unsent += size;

    public void LetLeave(int size) => _unsent -= size;

    public void Release()
    {
        if (IsGone) return;
        Network.Trace.Add(KernelEvent.Close, Id, 0, this);
        Forget();
        Machine.Datagrams.Remove(this);
    }

    /// <summary>Its host has crashed: what has not left is lost.</summary>
    public void Vanish()
    {
        VanishedAt = Network.Clock.Now;
        Forget();
    }

    /// <summary>Removes the file, unless another lies at its path by now.</summary>
    public void RemoveFile()
    {
        if (File is not null && SimulatedFiles.PathOf(LocalName!) is { } path && Machine.Files.Find(path) == File) Machine.Files.Remove(path);
    }

    public bool HasOption(SocketOptionName name) => View.Find(SocketOptionLevel.Socket, name) is > 0;

    public override string ToString() => $"{LocalName?.ToString() ?? "(unnamed)"} {(IsConnected ? "<->" : "->")} {PeerName?.ToString() ?? "*"}";

    private int Most => Family switch
    {
        AddressFamily.InterNetwork => MostToIPv4,
        AddressFamily.InterNetworkV6 => MostToIPv6,
        _ => MostToUnix,
    };

    private static int CostOf(in SimulatedDatagram datagram) => datagram.Payload.Length + Overhead;

    private static IPAddress AnyOf(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;

    private int SizeOf(SocketOptionName name, int usual) => View.Find(SocketOptionLevel.Socket, name) is { } size and > 0 ? size : usual;

    private IoError ConnectUdp(EndPoint remote)
    {
        if (remote is not IPEndPoint ip || ip.AddressFamily != Family) return new IoError(97);
        if (Machine.Datagrams.SourceFor(this, ip, out var error) is not { } source) return error;
        BindImplicitly(source.Address);
        Rename(new IPEndPoint(source.Address, ((IPEndPoint)LocalName!).Port));
        return IoError.None;
    }

    private IoError ConnectUnix(EndPoint remote)
    {
        _unixPeer = Machine.Datagrams.FindUnix(remote, out var error);
        return error;
    }

    private bool Try(ReadOnlySpan<byte> payload, EndPoint? to, out IoError error)
    {
        error = IoError.None;
        if (VanishedAt is not null) return false;
        if (HasError) error = TakeError();
        else if ((to ?? PeerName) is null && !IsConnected) error = new IoError(89);
        else if (payload.Length > Most) error = new IoError(90);
        else if (IsUnix) return TrySendUnix(payload, to, out error);
        else if (HasUdpRoom) return TrySendUdp(payload, (IPEndPoint)(to ?? PeerName)!, out error);
        return false;
    }

    private bool TrySendUdp(ReadOnlySpan<byte> payload, IPEndPoint to, out IoError error)
    {
        error = to.AddressFamily != Family ? new IoError(97)
            : to.Port == 0 ? IoError.InvalidArgument
            : DatagramAim.IsBroadcast(to.Address) && !HasOption(SocketOptionName.Broadcast) ? IoError.AccessDenied
            : IoError.None;
        if (!error.IsNone) return false;
        if (Machine.Datagrams.SourceFor(this, to, out error) is null) return false;
        BindImplicitly(AnyOf(Family));
        Network.Trace.Add(KernelEvent.Write, Id, payload.Length, this);
        Network.Carrier.Send(this, to, payload.ToArray());
        return true;
    }

    private bool TrySendUnix(ReadOnlySpan<byte> payload, EndPoint? to, out IoError error)
    {
        error = IoError.None;
        var receiver = to is null || to.Equals(PeerName) ? _unixPeer : Machine.Datagrams.FindUnix(to, out error);
        if (!error.IsNone) return false;
        if (receiver is null or { IsGone: true })
        {
            error = receiver is null ? IoError.NotConnected : IoError.ConnectionRefused;
            if (receiver == _unixPeer) _unixPeer = null;
            return false;
        }

        if (receiver._unixPeer is { } only && only != this)
        {
            error = new IoError(1);
            return false;
        }

        _full = receiver.HasUnixRoom ? null : receiver;
        if (_full is not null) return false;
        Network.Trace.Add(KernelEvent.Write, Id, payload.Length, this);
        receiver.Keep(new SimulatedDatagram(payload.ToArray(), LocalName));
        return true;
    }

    private void BindImplicitly(IPAddress address)
    {
        if (LocalName is IPEndPoint { Port: 0 }) Rename(Machine.Datagrams.Bind(this, new IPEndPoint(address, 0)));
    }

    private void Rename(EndPoint local)
    {
        LocalName = local;
        View.Rename(LocalName, PeerName);
    }

    private void Keep(in SimulatedDatagram datagram)
    {
        _arrived.Enqueue(datagram);
        _unread += CostOf(datagram);
    }

    private void Forget()
    {
        IsGone = true;
        _arrived.Clear();
        _unread = 0;
        Network.Forget(this);
    }

    private IoError TakeError()
    {
        var error = _error;
        _error = IoError.None;
        return error;
    }
}
