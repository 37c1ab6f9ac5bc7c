using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Streams;

/// <summary>A connection without TLS: the simulated kernel counts the very bytes that the transport was given. Owned by its end's model.</summary>
internal sealed class PlainWire(End end, SimulatedSocket kernel) : Wire(end, kernel)
{
    public override long Waiting => End.Model.Written - Kernel.Outgoing.Sent;

    public override long MostArrived => Kernel.Incoming.Sent;

    public override void VerifyOrderlyLoss()
    {
        if (Waiting != 0) End.Broken(Invariant.Bytes, $"a graceful close left {Waiting} bytes unsent");
    }

    public override void VerifyEnd()
    {
        var received = End.Model.Received;
        if (received != Kernel.Incoming.Sent) End.Broken(Invariant.End, $"the end came behind {received} of {Kernel.Incoming.Sent} bytes");
        if (Peer is { Model: { WasAborted: false, WasBroken: false } } peer && received != peer.Model.Written)
        {
            End.Broken(Invariant.Bytes, $"a clean end came behind {received} of {peer.Model.Written} bytes of end {peer.Number}: {peer.Transport}");
        }
    }

    public override void VerifySize(int size)
    {
        if (Waiting != size) End.Broken(Invariant.Accounting, $"accepted {End.Model.Written}, sent {Kernel.Outgoing.Sent}, buffered {size}");
    }
}
