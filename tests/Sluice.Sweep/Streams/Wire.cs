using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Streams;

/// <summary>What a judge can know of the way between an end and its peer. Made by the end's model once there is a connection; owned by it.</summary>
internal abstract class Wire(End end, SimulatedSocket kernel)
{
    /// <summary>How many bytes the transport still holds, or may hold.</summary>
    public abstract long Waiting { get; }

    /// <summary>More than this cannot have arrived.</summary>
    public abstract long MostArrived { get; }

    protected End End => end;

    protected SimulatedSocket Kernel => kernel;

    /// <summary>The other end, once it is made.</summary>
    protected End? Peer => end.World.EndOf(kernel.Peer);

    /// <summary>The connection was lost for no reason, and nobody had aborted it.</summary>
    public abstract void VerifyOrderlyLoss();

    /// <summary>The end of the stream is told.</summary>
    public abstract void VerifyEnd();

    /// <summary>What waits, while something can.</summary>
    public abstract void VerifySize(int size);

    /// <summary>When a pass is over.</summary>
    public virtual void VerifyAfterPass()
    {
    }

    /// <summary>A loss for this reason may be, besides the reasons that every connection can have.</summary>
    public virtual bool Explains(Exception reason) => false;
}
