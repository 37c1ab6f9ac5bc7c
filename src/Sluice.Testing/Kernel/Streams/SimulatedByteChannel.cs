using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>
/// What sockets and pipes of a simulated host have in common as channels: the two sides, the order of events, and the laws of the seam, which it judges strictly.
/// Owned by its transport.
/// </summary>
internal abstract class SimulatedByteChannel : StreamChannel, ISimulatedSource
{
    private protected readonly SimulatedBackend _host;
    private protected readonly SimulatedRead _read;
    private protected readonly SimulatedWrite _write;
    private protected Life _life;
    private IStreamSink? _sink;

    private protected SimulatedByteChannel(SimulatedBackend host, SimulatedSocket kernel)
    {
        _host = host;
        Kernel = kernel;
        _read = new SimulatedRead(host, kernel);
        _write = new SimulatedWrite(host, kernel);
    }

    private protected enum Life
    {
        Open,

        /// <summary>Closed gracefully: what the peer still sends is read and dropped.</summary>
        Lingering,

        /// <summary>The descriptor is gone; the transport has to be told.</summary>
        Released,
        Closed,
    }

    public SimulatedSocket Kernel { get; }

    public KernelDice Dice => Kernel.Dice;

    /// <summary>A transport has taken it over and has not been told yet that the kernel is done.</summary>
    public bool IsAttached => _sink is not null && _life != Life.Closed;

    /// <summary>Someone has attached to it or closed it.</summary>
    public bool IsOwned => _sink is not null || _life != Life.Open;

    public virtual bool IsReady => _life switch
    {
        Life.Open => _sink is not null && (HasReadEvent || _write.IsReady),
        Life.Released => true,
        _ => false,
    };

    private protected virtual bool HasReadEvent => _read.IsArmed && _read.HasInput;

    public override void Attach(IStreamSink sink)
    {
        if (_sink is not null) Violated("Attach was called twice");
        if (_life != Life.Open) Violated("Attach was called after Close");
        _sink = sink;
    }

    public override void StartReading()
    {
        VerifyOpen(nameof(StartReading));
        if (_read.HasEnded) Violated("StartReading was called after OnReadEnd");
        _read.Start();
    }

    public override void StopReading()
    {
        VerifyOpen(nameof(StopReading));
        _read.Stop();
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

    public virtual bool Report()
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
        if (_life is Life.Open or Life.Lingering) Release(reset: false);
        _life = Life.Closed;
    }

    private protected void Release(bool reset)
    {
        _life = Life.Released;
        ReleaseDescriptor(reset);
    }

    private protected abstract void ReleaseDescriptor(bool reset);

    private protected virtual bool ReportRead(IStreamSink sink) => _read.Report(this, sink);

    private protected virtual bool ReportWritten(IStreamSink sink)
    {
        var count = _write.Complete(out var error);
        sink.OnWritten(count, error);
        return true;
    }

    private protected virtual void VerifyMayWrite(string member)
    {
        VerifyOpen(member);
        if (_write.IsOutstanding) Violated($"{member} was called while a write is outstanding");
    }

    private protected void VerifyOpen(string member)
    {
        if (_sink is null && member != nameof(Close)) Violated($"{member} was called before Attach");
        if (_life != Life.Open) Violated($"{member} was called after Close");
    }

    private protected void Violated(string law) => _host.Network.Violated($"{law} ({this})");

    private bool ReportRead() => HasReadEvent && ReportRead(_sink!);

    private bool ReportWritten() => _write.IsReady && ReportWritten(_sink!);
}
