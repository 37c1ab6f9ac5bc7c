using Sluice.Primitives;

namespace Sluice.Sweep.Running;

/// <summary>
/// The write segments that ended worlds have left behind, lent to the next ones: pinned memory is dear to make and to collect. Owned by a worker.
/// </summary>
internal sealed class SegmentSpares
{
    private const int MostKept = 512;

    private readonly Stack<Segment> _spares = new();

    public void Lend(SegmentPool pool)
    {
        for (var left = 64; left > 0 && _spares.TryPop(out var segment); left--) pool.Return(segment);
    }

    public void TakeBack(SegmentPool pool)
    {
        while (pool.Free > 0 && _spares.Count < MostKept) _spares.Push(pool.Rent());
    }
}
