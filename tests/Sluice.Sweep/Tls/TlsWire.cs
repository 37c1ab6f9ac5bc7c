using Sluice.Sweep.Streams;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Tls;

/// <summary>
/// A TLS connection: what the kernel counts is not what the app wrote, so the two ends are held to each other, and what travels is held to be TLS. Owned by its
/// end's model.
/// </summary>
internal sealed class TlsWire(End end, SimulatedSocket kernel) : Wire(end, kernel)
{
    private readonly RecordReader _records = new();
    private int _plain = end.Upgrade?.PlainSize ?? 0;

    public override long Waiting => End.Model.Written - (Peer?.Model.Received ?? 0);

    public override long MostArrived => Peer is { } peer ? peer.Model.Written - WaitingAt(peer) : 0;

    public override void VerifyOrderlyLoss()
    {
    }

    public override void VerifyEnd()
    {
        if (Peer is not { } peer || (End.IsUpgrading && (peer.Model.WasAborted || peer.Model.WasBroken))) return;
        if (End.Model.Received != peer.Model.Written) End.Broken(Invariant.Bytes, $"a clean end came behind {End.Model.Received} of {peer.Model.Written} bytes of end {peer.Number}: {peer.Transport}");
        if (!peer.Model.AskedToEnd) End.Broken(Invariant.Secrecy, "an end was told, and the peer has not said goodbye");
    }

    public override void VerifySize(int size)
    {
        // What is written once the connection below is gone waits for nothing.
        if (End.Transport is { IsClosing: false } && Waiting < size) End.Broken(Invariant.Accounting, $"accepted {End.Model.Written}, received {Peer?.Model.Received}, buffered {size}");
    }

    public override void VerifyAfterPass()
    {
        if (Kernel.Outgoing.Log is not { } log) return;
        var plain = Math.Min(_plain, log.Count);
        log.DropFirst(plain);
        _plain -= plain;
        if (_plain == 0 && _records.Take(log) is { } breach) End.Broken(Invariant.Secrecy, breach);
    }

    public override bool Explains(Exception reason) => reason switch
    {
        TimeoutException => End.Model.AskedToEnd,
        // Where nothing fails below, who ends in order is heard; but who ends in the midst of his handshake has no way to say so.
        TlsTruncatedException => End.World.Plan.FailsBelow || Peer is not { IsLost: true, IsUpgrading: false, Model: { WasBroken: false, WasAborted: false } },
        _ => End.IsUpgrading,
    };

    private static int WaitingAt(End peer) => peer is { IsLive: true, Transport: { } transport, Model.IsGathering: false } ? transport.WriteBufferSize : 0;
}
