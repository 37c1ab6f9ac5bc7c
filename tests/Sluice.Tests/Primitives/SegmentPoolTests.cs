using Sluice.Primitives;

namespace Sluice.Tests.Primitives;

public sealed class SegmentPoolTests
{
    [Fact]
    public void A_returned_segment_is_lent_again_and_empty()
    {
        var pool = new SegmentPool();
        var segment = pool.Rent();
        segment.Start = 3;
        segment.End = 9;
        pool.Return(segment);

        var again = pool.Rent();

        Assert.Same(segment, again);
        Assert.Equal((0, SegmentPool.SegmentSize, 0), (again.Length, again.Room, again.Start));
        Assert.Null(again.Next);
        Assert.Equal(0, pool.Free);
    }

    [Fact]
    public void No_segment_is_lent_twice_at_a_time()
    {
        var pool = new SegmentPool();
        var random = new Random(2);
        var lent = new HashSet<Segment>();
        for (var step = 0; step < 10_000; step++)
        {
            if (random.Next(2) == 0)
            {
                Assert.True(lent.Add(pool.Rent()));
            }
            else if (lent.Count > 0)
            {
                pool.Return(lent.First());
                lent.Remove(lent.First());
            }
        }
    }

    [Fact]
    public void A_flood_of_segments_is_not_kept_for_ever()
    {
        var pool = new SegmentPool();
        var flood = Enumerable.Range(0, SegmentPool.MaxFree + 100).Select(_ => pool.Rent()).ToList();

        flood.ForEach(pool.Return);

        Assert.Equal(SegmentPool.MaxFree, pool.Free);
    }

    [Fact]
    public void A_large_segment_is_made_for_the_occasion()
    {
        var pool = new SegmentPool();
        var large = pool.Rent(SegmentPool.SegmentSize + 1);

        pool.Return(large);

        Assert.Equal(SegmentPool.SegmentSize + 1, large.Room);
        Assert.Equal(0, pool.Free);
    }
}
