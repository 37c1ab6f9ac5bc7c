using System.Net;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>One end of a pipe of a simulated host: it goes one way, and its writing end hears when the reader has gone. Owned by its transport.</summary>
/// <remarks>A simplification: a pipe is a Unix socket pair of which one direction is used, with the room of a pipe.</remarks>
internal sealed class SimulatedPipeChannel : SimulatedByteChannel
{
    private readonly SimulatedSocketHandle _handle;
    private readonly PipeEnd _end;

    public SimulatedPipeChannel(SimulatedBackend host, SimulatedSocketHandle handle, PipeEnd end) : base(host, handle.Kernel)
    {
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        handle.IsInUse = true;
        _handle = handle;
        _end = end;
        host.Add(this);
    }

    public override nint Handle => _life == Life.Open ? Kernel.Number : -1;

    public override EndPoint? LocalName => null;

    public override EndPoint? PeerName => null;

    public override TransportSocket? Socket => null;

    private protected override bool HasReadEvent => _end == PipeEnd.Read ? base.HasReadEvent : _read.IsArmed && Kernel.Peer.IsGone;

    public override void ShutdownWrite() => Violated("ShutdownWrite was called on a pipe");

    public override void Close(bool reset)
    {
        VerifyOpen(nameof(Close));
        _read.Cease();
        Release(reset);
    }

    public override string ToString()
    {
        var what = _life is Life.Open
            ? $"{(_read.IsOn ? "reading" : "not reading")}{(_write.IsOutstanding ? ", a write blocked" : "")}"
            : _life.ToString();
        return $"{_end} end of a pipe, {Kernel.Number} ({what})";
    }

    private protected override bool ReportRead(IStreamSink sink) =>
        _end == PipeEnd.Read ? base.ReportRead(sink) : _read.End(sink, IoError.None);

    private protected override void ReleaseDescriptor(bool reset)
    {
        _handle.DangerousRelease();
        _handle.Dispose();
    }

    private protected override void VerifyMayWrite(string member)
    {
        base.VerifyMayWrite(member);
        if (_end == PipeEnd.Read) Violated($"{member} was called on a reading end");
    }
}
