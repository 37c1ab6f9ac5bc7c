using Sluice.Sweep.Streams;

namespace Sluice.Sweep;

/// <summary>What the protocols and factories of a sweep throw.</summary>
/// <param name="end">The end that threw it, so that a failure that reaches another connection shows.</param>
internal sealed class ChaosException(End? end) : Exception("Thrown on purpose.")
{
    public End? End => end;
}
