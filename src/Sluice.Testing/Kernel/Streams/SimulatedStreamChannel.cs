using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>A connected stream of a simulated host: a socket's channel, which lingers, sends files and ends its two directions apart. Owned by its transport.</summary>
internal sealed class SimulatedStreamChannel : SimulatedByteChannel
{
    private readonly SimulatedTransportSocket _socket;
    private readonly SimulatedLinger _linger;
    private PeerCredentials? _peerCredentials;
    private bool _writeEnded;

    public SimulatedStreamChannel(SimulatedBackend host, SimulatedSocket kernel, StreamOptions options) : base(host, kernel)
    {
        _linger = new SimulatedLinger(host, kernel);
        _socket = new SimulatedTransportSocket(kernel.Number, kernel.LocalName, kernel.PeerName) { Kernel = kernel };
        if (!kernel.IsUnix) _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, options.NoDelay ? 1 : 0);
        if (!kernel.IsUnix) _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, options.KeepAlive ? 1 : 0);
        host.Add(this);
    }

    public override nint Handle => _socket.Handle;

    public override EndPoint? LocalName => Kernel.LocalName;

    public override EndPoint? PeerName => Kernel.PeerName;

    public override PeerCredentials? PeerCredentials
    {
        get
        {
            if (_life is Life.Open) _peerCredentials ??= Kernel.PeerCredentials;
            return _peerCredentials;
        }
    }

    public override TransportSocket? Socket => _socket;

    public override int Unread => _life is Life.Open ? Kernel.Incoming.Unread : 0;

    public override bool IsReady => _life is Life.Lingering ? _linger.IsReady : base.IsReady;

    public override bool TrySendFile(SafeFileHandle file, long offset, long count, out long sent, out IoError error)
    {
        VerifyMayWrite(nameof(TrySendFile));
        if (count <= 0) Violated("TrySendFile was asked for no bytes");
        return _write.TrySendFile(file, offset, count, out sent, out error);
    }

    public override void AwaitRoom()
    {
        VerifyMayWrite(nameof(AwaitRoom));
        _write.AwaitRoom();
    }

    public override void StopAwaitingRoom()
    {
        VerifyOpen(nameof(StopAwaitingRoom));
        _write.StopAwaitingRoom();
    }

    public override void ShutdownWrite()
    {
        VerifyMayWrite(nameof(ShutdownWrite));
        _writeEnded = true;
        Kernel.ShutdownWrite();
    }

    public override void LimitClosing(TimeSpan timeout)
    {
        VerifyOpen(nameof(LimitClosing));
        if (!Kernel.IsUnix) Kernel.LimitUnacknowledged(timeout);
    }

    public override void Close(bool reset)
    {
        VerifyOpen(nameof(Close));
        _read.Cease();
        _write.StopAwaitingRoom();
        if (reset || _read.HasEnded || _write.HasFailed) Release(reset);
        else
        {
            _life = Life.Lingering;
            _linger.Start();
            _host.AddLingering(this);
        }
    }

    public override bool Report()
    {
        if (_life is Life.Lingering)
        {
            if (!_linger.Advance()) return false;
            EndLingering();
        }

        return base.Report();
    }

    /// <summary>It lingers no longer: its peer has ended, its time is over, or others need its place.</summary>
    public void EndLingering()
    {
        _host.RemoveLingering(this);
        Release(reset: false);
    }

    public override string ToString()
    {
        var what = _life is Life.Open
            ? $"{(_read.IsOn ? "reading" : "not reading")}{(_write.IsOutstanding ? ", a write blocked" : _write.IsRoomAwaited ? ", a file blocked" : "")}"
            : _life.ToString();
        return $"{Kernel} ({what})";
    }

    private protected override bool ReportWritten(IStreamSink sink)
    {
        if (!_write.IsRoomAwaited) return base.ReportWritten(sink);
        _write.StopAwaitingRoom();
        sink.OnRoom(IoError.None);
        return true;
    }

    private protected override void ReleaseDescriptor(bool reset)
    {
        _socket.MarkClosed();
        Kernel.Linger = null;
        Kernel.Release(reset);
    }

    private protected override void VerifyMayWrite(string member)
    {
        base.VerifyMayWrite(member);
        if (_write.IsRoomAwaited && member != nameof(AwaitRoom)) Violated($"{member} was called while room is awaited");
        if (_writeEnded) Violated($"{member} was called after ShutdownWrite");
    }
}
