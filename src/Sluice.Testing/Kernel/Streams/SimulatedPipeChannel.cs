using System.Net;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>One end of a pipe of a simulated host. Owned by its transport, whose every step it judges.</summary>
/// <remarks>A simplification: a pipe is a Unix socket pair of which one direction is used, with the room of a pipe.</remarks>
internal sealed class SimulatedPipeChannel : StreamChannel, ISimulatedSource
{
    private const int MostLateReads = 3;

    private readonly SimulatedBackend _host;
    private readonly SimulatedSocketHandle _handle;
    private readonly SimulatedSocket _kernel;
    private readonly SimulatedWrite _write;
    private readonly PipeEnd _end;
    private IStreamSink? _sink;
    private Life _life;
    private bool _isReading;
    private int _readsUnderWay;
    private bool _readEnded;

    public SimulatedPipeChannel(SimulatedBackend host, SimulatedSocketHandle handle, PipeEnd end)
    {
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        handle.IsInUse = true;
        _host = host;
        _handle = handle;
        _kernel = handle.Kernel;
        _end = end;
        _write = new SimulatedWrite(host, _kernel);
        host.Add(this);
    }

    private enum Life
    {
        Open,
        Released,
        Closed,
    }

    public KernelDice Dice => _kernel.Dice;

    /// <summary>A transport has taken it over and has not been told yet that the kernel is done.</summary>
    public bool IsAttached => _sink is not null && _life != Life.Closed;

    public override nint Handle => _life == Life.Open ? _kernel.Number : -1;

    public override EndPoint? LocalName => null;

    public override EndPoint? PeerName => null;

    public override TransportSocket? Socket => null;

    public bool IsReady => _life switch
    {
        Life.Open => _sink is not null && (HasReadEvent || _write.IsReady),
        Life.Released => true,
        _ => false,
    };

    private bool HasReadEvent => (_isReading || _readsUnderWay > 0) && !_readEnded &&
        (_end == PipeEnd.Read ? _kernel.CanRead || _host.Faults.HasRead : _kernel.Peer.IsGone);

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
        _readsUnderWay = Dice.Chance(_host.Network.Options.LateReads) ? Dice.SomeOf(MostLateReads) : 0;
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

    public override void ShutdownWrite() => Violated("ShutdownWrite was called on a pipe");

    public override void Close(bool reset)
    {
        VerifyOpen(nameof(Close));
        _isReading = false;
        _readsUnderWay = 0;
        Release();
    }

    public bool Report()
    {
        if (_life is Life.Released)
        {
            _life = Life.Closed;
            _host.Remove(this);
            _write.VerifyImage();
            _sink?.OnClosed();
            return _sink is not null;
        }

        var readFirst = Dice.Chance(0.5);
        var reported = readFirst ? ReportRead() : ReportWritten();
        if (_life is Life.Open) reported |= readFirst ? ReportWritten() : ReportRead();
        return reported;
    }

    /// <summary>The loop has ended: the kernel takes the descriptor back.</summary>
    public void LetGo()
    {
        if (_life is Life.Open) Release();
        _life = Life.Closed;
    }

    public override string ToString()
    {
        var what = _life is Life.Open
            ? $"{(_isReading ? "reading" : "not reading")}{(_write.IsOutstanding ? ", a write blocked" : "")}"
            : _life.ToString();
        return $"{_end} end of a pipe, {_kernel.Number} ({what})";
    }

    private bool ReportWritten()
    {
        if (!_write.IsReady) return false;
        var count = _write.Complete(out var error);
        _sink!.OnWritten(count, error);
        return true;
    }

    private bool ReportRead()
    {
        if (!HasReadEvent) return false;
        if (_end == PipeEnd.Write) return EndReading(IoError.None);
        if (_host.Faults.TryTakeRead(out var fault)) return EndReading(fault);
        var most = Math.Min(_host.ReadBuffer.Length, _kernel.Incoming.Unread);
        if (most > 1 && Dice.Chance(_host.Network.Options.ShortReads)) most = Dice.SomeOf(most);
        var count = _kernel.Read(_host.ReadBuffer.AsSpan(0, most), out var end, out var error);
        if (count == 0) return (end || !error.IsNone) && EndReading(error);
        if (_readsUnderWay > 0) _readsUnderWay--;
        _sink!.OnRead(_host.ReadBuffer.AsSpan(0, count));

        // The buffer is shared and lent: who keeps the span must not find its bytes in it later.
        _host.ReadBuffer.AsSpan(0, count).Fill(0xDB);
        return true;
    }

    private bool EndReading(IoError reason)
    {
        _isReading = false;
        _readsUnderWay = 0;
        _readEnded = true;
        _sink!.OnReadEnd(reason);
        return true;
    }

    private void Release()
    {
        _life = Life.Released;
        _handle.DangerousRelease();
        _handle.Dispose();
    }

    private void VerifyMayWrite(string member)
    {
        VerifyOpen(member);
        if (_end == PipeEnd.Read) Violated($"{member} was called on a reading end");
        if (_write.IsOutstanding) Violated($"{member} was called while a write is outstanding");
    }

    private void VerifyOpen(string member)
    {
        if (_sink is null && member != nameof(Close)) Violated($"{member} was called before Attach");
        if (_life != Life.Open) Violated($"{member} was called after Close");
    }

    private void Violated(string law) => _host.Network.Violated($"{law} ({this})");
}
