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

    [Theory]
    [InlineData(SegmentPool.SegmentSize + 1, 2 * SegmentPool.SegmentSize)]
    [InlineData(SegmentPool.LargestSize - 1, SegmentPool.LargestSize)]
    [InlineData(SegmentPool.LargestSize, SegmentPool.LargestSize)]
    public void A_larger_segment_is_used_again_for_what_needs_its_size(int room, int size)
    {
        var pool = new SegmentPool();
        var large = pool.Rent(room);
        Assert.Equal(size, large.Room);
        large.End = 1;

        pool.Return(large);

        Assert.NotSame(large, pool.Rent());
        Assert.Same(large, pool.Rent(room));
        Assert.Equal(size, large.Room);
        Assert.NotSame(large, pool.Rent(room));
    }

    [Fact]
    public void A_segment_that_no_datagram_needs_is_made_for_the_occasion()
    {
        var pool = new SegmentPool();
        var huge = pool.Rent(SegmentPool.LargestSize + 1);

        pool.Return(huge);

        Assert.Equal(SegmentPool.LargestSize + 1, huge.Room);
        Assert.NotSame(huge, pool.Rent(SegmentPool.LargestSize + 1));
    }

    [Fact]
    public void A_flood_of_larger_segments_is_not_kept_for_ever()
    {
        var pool = new SegmentPool();
        var flood = Enumerable.Range(0, 100).Select(_ => pool.Rent(SegmentPool.LargestSize)).ToList();

        flood.ForEach(pool.Return);

        Assert.Equal(4, Enumerable.Range(0, 100).Count(_ => flood.Contains(pool.Rent(SegmentPool.LargestSize))));
    }
}
