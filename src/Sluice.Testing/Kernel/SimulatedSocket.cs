using System.Net;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

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
    private IoError _error;
    private bool _finSent;
    private bool _isReset;

    private SimulatedSocket(SimulatedNetwork network, bool isUnix, EndPoint? local, EndPoint? peer, KernelDice dice)
    {
        _network = network;
        IsUnix = isUnix;
        LocalName = local;
        PeerName = peer;
        Dice = dice;
        Number = network.NextDescriptor();
        Id = network.NextSocketId();
    }

    public bool IsUnix { get; }

    public EndPoint? LocalName { get; }

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

    public Link Incoming { get; private set; } = null!;

    public Link Outgoing { get; private set; } = null!;

    /// <summary>A read would give bytes, the end or an error.</summary>
    public bool CanRead => Incoming.Unread > 0 || Incoming.FinArrived || _isReset || !_error.IsNone;

    /// <summary>A write would take bytes or fail.</summary>
    public bool CanWrite => WriteFails || Outgoing.Room > 0;

    public SimulatedSocket Peer { get; private set; } = null!;

    private bool WriteFails => _isReset || _finSent || (IsUnix && Peer.IsGone);


    public static (SimulatedSocket Client, SimulatedSocket Server) Connect(
        SimulatedNetwork network, bool isUnix, EndPoint? clientName, EndPoint? serverName, KernelDice dice)
    {
        var client = new SimulatedSocket(network, isUnix, clientName, serverName, dice);
        var server = new SimulatedSocket(network, isUnix, serverName, clientName, dice);
        (client.Peer, server.Peer) = (server, client);
        client.Outgoing = server.Incoming = new Link(network, server);
        server.Outgoing = client.Incoming = new Link(network, client);
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
        if (WriteFails)
        {
            error = _isReset && !IsUnix && !_error.IsNone ? TakeError() : IoError.BrokenPipe;
            return 0;
        }

        var count = Math.Min(data.Length, Outgoing.Room);
        if (count > 0) Outgoing.Send(data[..count]);
        return count;
    }

    public void ShutdownWrite()
    {
        if (_finSent || _isReset) return;
        _finSent = true;
        Outgoing.SendFin();
    }

    /// <summary>Closes the descriptor: at once with a reset over TCP where it is asked for or bytes were not read.</summary>
    public void Release(bool reset)
    {
        if (IsGone) return;
        IsGone = true;
        _network.Forget(this);
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

    /// <summary>A reset has arrived.</summary>
    public void TakeReset()
    {
        if (IsGone || _isReset) return;
        _isReset = true;
        _error = Incoming.FinArrived ? IoError.BrokenPipe : IoError.ConnectionReset;
        Outgoing.Drop();
    }

    /// <summary>Bytes have arrived for a socket that is gone.</summary>
    public void AnswerWithReset()
    {
        if (!IsUnix) Outgoing.SendReset();
    }

    private IoError TakeError()
    {
        var error = _error;
        _error = IoError.None;
        return error;
    }

    public override string ToString() => $"{LocalName?.ToString() ?? "(unnamed)"} <-> {PeerName?.ToString() ?? "(unnamed)"}";
}
