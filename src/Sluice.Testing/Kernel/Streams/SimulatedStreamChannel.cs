using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>A connected stream of a simulated host. Owned by its transport, whose every step it judges.</summary>
internal sealed class SimulatedStreamChannel : StreamChannel, ISimulatedSource
{
    private const int MostLateReads = 3;

    private readonly SimulatedBackend _host;
    private readonly SimulatedTransportSocket _socket;
    private readonly SimulatedWrite _write;
    private readonly SimulatedLinger _linger;
    private IStreamSink? _sink;
    private Life _life;
    private PeerCredentials? _peerCredentials;
    private bool _isReading;
    private int _readsUnderWay;
    private bool _readEnded;
    private bool _writeEnded;

    public SimulatedStreamChannel(SimulatedBackend host, SimulatedSocket kernel, StreamOptions options)
    {
        _host = host;
        Kernel = kernel;
        _write = new SimulatedWrite(host, kernel);
        _linger = new SimulatedLinger(host, kernel);
        _socket = new SimulatedTransportSocket(kernel.Number, kernel.LocalName, kernel.PeerName) { Kernel = kernel };
        if (!kernel.IsUnix) _socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, options.NoDelay ? 1 : 0);
        if (!kernel.IsUnix) _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, options.KeepAlive ? 1 : 0);
        host.Add(this);
    }

    private enum Life
    {
        Open,
        Lingering,
        Released,
        Closed,
    }

    public SimulatedSocket Kernel { get; }

    public KernelDice Dice => Kernel.Dice;

    /// <summary>A transport has taken it over and has not been told yet that the kernel is done.</summary>
    public bool IsAttached => _sink is not null && _life != Life.Closed;

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

    /// <summary>Someone has attached to it or closed it.</summary>
    public bool IsOwned => _sink is not null || _life != Life.Open;

    public bool IsReady => _life switch
    {
        Life.Open => _sink is not null && (HasReadEvent || _write.IsReady),
        Life.Lingering => _linger.IsReady,
        Life.Released => true,
        _ => false,
    };

    private bool HasReadEvent => (_isReading || _readsUnderWay > 0) && !_readEnded && (Kernel.CanRead || _host.Faults.HasRead);

    public override void Attach(IStreamSink sink)
    {
        if (_sink is not null) Violated("Attach was called twice");
        if (_life != Life.Open) Violated("Attach was called after Close");
        _sink = sink;
    }

    public override void StartReading()
    {
        VerifyOpen(nameof(StartReading));
        if (_readEnded) Violated("StartReading was called after OnReadEnd");
        _isReading = true;
        _readsUnderWay = 0;
    }

    public override void StopReading()
    {
        VerifyOpen(nameof(StopReading));
        if (!_isReading) return;
        _isReading = false;
        // As many as a kernel may have completed already, the end of the stream among them.
        _readsUnderWay = Kernel.Dice.Chance(_host.Network.Options.LateReads) ? Kernel.Dice.SomeOf(MostLateReads) : 0;
    }

    public override int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        VerifyMayWrite(nameof(TryWrite));
        return _write.Try(queue, extra, out error);
    }

    public override void StartWrite(in WriteSlice queue)
    {
        VerifyMayWrite(nameof(StartWrite));
        if (queue.IsEmpty) Violated("StartWrite was given no bytes");
        _write.Start(queue);
    }

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

    public override void Close(bool reset)
    {
        VerifyOpen(nameof(Close));
        _isReading = false;
        _readsUnderWay = 0;
        _write.StopAwaitingRoom();
        if (reset || _readEnded || _write.HasFailed) Release(reset);
        else
        {
            _life = Life.Lingering;
            _linger.Start();
        }
    }

    public bool Report()
    {
        if (_life is Life.Lingering)
        {
            if (!_linger.Advance()) return false;
            Release(reset: false);
        }

        if (_life is Life.Released)
        {
            _life = Life.Closed;
            _host.Remove(this);
            _write.VerifyImage();
            _sink?.OnClosed();
            return _sink is not null;
        }

        var readFirst = Kernel.Dice.Chance(0.5);
        var reported = readFirst ? ReportRead() : ReportWritten();
        if (_life is Life.Open) reported |= readFirst ? ReportWritten() : ReportRead();
        return reported;
    }

    /// <summary>The loop has ended: the kernel takes the descriptor back.</summary>
    public void LetGo()
    {
        if (_life is Life.Open or Life.Lingering) Release(reset: false);
        _life = Life.Closed;
    }

    public override string ToString()
    {
        var what = _life is Life.Open
            ? $"{(_isReading ? "reading" : "not reading")}{(_write.IsOutstanding ? ", a write blocked" : _write.IsRoomAwaited ? ", a file blocked" : "")}"
            : _life.ToString();
        return $"{Kernel} ({what})";
    }

    private bool ReportWritten()
    {
        if (!_write.IsReady) return false;
        if (_write.IsRoomAwaited)
        {
            _write.StopAwaitingRoom();
            _sink!.OnRoom(IoError.None);
            return true;
        }

        var count = _write.Complete(out var error);
        _sink!.OnWritten(count, error);
        return true;
    }

    private bool ReportRead()
    {
        if (!HasReadEvent) return false;
        if (_host.Faults.TryTakeRead(out var fault)) return EndReading(fault);
        if (!_isReading || !AsksForTarget) return ReadInto(_host.ReadBuffer);

        var target = _sink!.ReadTarget();
        if (_life is not Life.Open || !_isReading) return true;
        if (target.IsEmpty || !AsksForTarget) return ReadInto(_host.ReadBuffer);
        if (Kernel.Dice.Chance(_host.Network.Options.SpuriousWakeups)) return true;
        var count = ReadSome(target.Span, out var end, out var error);
        if (count == 0) return (end || !error.IsNone) && EndReading(error);
        _sink.OnReadInto(count);
        return true;
    }

    private bool ReadInto(byte[] buffer)
    {
        var count = ReadSome(buffer, out var end, out var error);
        if (count == 0) return (end || !error.IsNone) && EndReading(error);
        if (_readsUnderWay > 0) _readsUnderWay--;
        _sink!.OnRead(buffer.AsSpan(0, count));

        // The buffer is shared and lent: who keeps the span must not find its bytes in it later.
        buffer.AsSpan(0, count).Fill(0xDB);
        return true;
    }

    private int ReadSome(Span<byte> target, out bool end, out IoError error)
    {
        var most = Math.Min(target.Length, Kernel.Incoming.Unread);
        if (most > 1 && Kernel.Dice.Chance(_host.Network.Options.ShortReads)) most = Kernel.Dice.SomeOf(most);
        return Kernel.Read(target[..most], out end, out error);
    }

    private bool EndReading(IoError reason)
    {
        _isReading = false;
        _readsUnderWay = 0;
        _readEnded = true;
        _sink!.OnReadEnd(reason);
        return true;
    }

    private void Release(bool reset)
    {
        _life = Life.Released;
        _socket.MarkClosed();
        Kernel.Linger = null;
        Kernel.Release(reset);
    }

    private void VerifyMayWrite(string member)
    {
        VerifyOpen(member);
        if (_write.IsOutstanding) Violated($"{member} was called while a write is outstanding");
        if (_write.IsRoomAwaited && member != nameof(AwaitRoom)) Violated($"{member} was called while room is awaited");
        if (_writeEnded) Violated($"{member} was called after ShutdownWrite");
    }

    private void VerifyOpen(string member)
    {
        if (_sink is null && member != nameof(Close)) Violated($"{member} was called before Attach");
        if (_life != Life.Open) Violated($"{member} was called after Close");
    }

    private void Violated(string law) => _host.Network.Violated($"{law} ({Kernel})");
}
