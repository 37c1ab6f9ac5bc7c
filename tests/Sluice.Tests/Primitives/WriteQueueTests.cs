using Sluice.Primitives;

namespace Sluice.Tests.Primitives;

public sealed class WriteQueueTests
{
    [Fact]
    [Case("BUG-029", "TCP-031")]
    public void It_is_a_queue_of_bytes_for_any_sequence_of_operations()
    {
        for (var seed = 0; seed < 60; seed++) CompareWithModel(new Random(seed), new SegmentPool());
    }

    [Fact]
    public void All_segments_go_back_when_the_queue_is_empty()
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        queue.Append(pool, new byte[3 * SegmentPool.SegmentSize + 1]);

        queue.Consume(pool, queue.Count);

        Assert.Equal(4, pool.Free);
        Assert.Null(queue.View.Head);
    }

    [Fact]
    public void Reserved_room_that_was_not_used_goes_back()
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        queue.Reserve(pool, 10);
        queue.Commit(pool, 0);

        queue.Clear(pool);

        Assert.Equal(1, pool.Free);
    }

    [Fact]
    public void A_reservation_is_at_least_as_large_as_asked_for()
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        foreach (var size in (int[])[0, 1, 4095, 4096, 4097, 1, 100_000, 2])
        {
            Assert.True(queue.Reserve(pool, size).Length >= Math.Max(1, size));
            queue.Commit(pool, size);
        }
    }

    [Fact]
    public void What_was_queued_stays_in_place_while_more_is_appended()
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        queue.Append(pool, "first"u8);
        var slice = queue.View;
        var before = Read(slice);

        queue.Append(pool, new byte[10_000]);

        Assert.Equal(before, Read(slice));
    }

    [Fact]
    public void The_parts_of_a_view_are_never_empty()
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        queue.Reserve(pool, 10);
        queue.Reserve(pool, 5000);
        queue.Commit(pool, 1);
        queue.Reserve(pool, 6000);

        var parts = 0;
        foreach (var part in queue.View)
        {
            Assert.False(part.IsEmpty);
            parts++;
        }

        Assert.Equal(1, parts);
    }

    [Theory, Case("BUF-016")]
    [InlineData(1, 1)]
    [InlineData(4096, 1)]
    [InlineData(4096, 2049)]
    [InlineData(65_536, 1)]
    [InlineData(65_536, 4097)]
    [InlineData(65_536, 32_768)]
    [InlineData(65_536, 32_769)]
    [InlineData(1_000_000, 1)]
    [InlineData(1_000_000, 600_000)]
    public void Little_written_into_much_room_holds_at_most_twice_what_it_counts(int room, int used)
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        for (var i = 0; i < 3000 && queue.Count < 4 << 20; i++)
        {
            Assert.True(queue.Reserve(pool, room).Length >= room);
            queue.Commit(pool, used);
        }

        queue.EndLoan(pool);
        Assert.InRange(pool.Held, queue.Count, 2L * queue.Count + SegmentPool.SegmentSize);
        queue.Clear(pool);
        Assert.Equal(0, pool.Held);
    }

    [Fact, Case("BUF-016")]
    public void Room_that_was_lent_and_not_used_goes_back()
    {
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        queue.Append(pool, new byte[10]);
        queue.Reserve(pool, 5000);
        queue.Reserve(pool, 50_000);
        queue.Commit(pool, 0);

        queue.EndLoan(pool);

        Assert.Equal(SegmentPool.SegmentSize, pool.Held);
    }

    private static void CompareWithModel(Random random, SegmentPool pool)
    {
        var queue = new WriteQueue();
        var model = new List<byte>();
        for (var step = 0; step < 200; step++)
        {
            var bytes = new byte[random.Next(2) == 0 ? random.Next(50) : random.Next(9000)];
            random.NextBytes(bytes);
            switch (random.Next(6))
            {
                case 0 or 1:
                    queue.Append(pool, bytes);
                    model.AddRange(bytes);
                    break;
                case 2:
                    bytes.CopyTo(queue.Reserve(pool, bytes.Length));
                    var used = random.Next(bytes.Length + 1);
                    queue.Commit(pool, used);
                    model.AddRange(bytes.AsSpan(0, used));
                    break;
                case 3 when model.Count > 0:
                    var segment = queue.TakeHead();
                    Assert.Equal(model.Take(segment.Length), segment.Span.ToArray());
                    model.RemoveRange(0, segment.Length);
                    pool.Return(segment);
                    break;
                case 5 when random.Next(20) == 0:
                    queue.Clear(pool);
                    model.Clear();
                    break;
                default:
                    var count = random.Next(model.Count + 1);
                    queue.Consume(pool, count);
                    model.RemoveRange(0, count);
                    break;
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Count == 0, queue.IsEmpty);
            Assert.True(Read(queue.View).AsSpan().SequenceEqual(model.ToArray()), "the bytes differ from the model's");
        }
    }

    private static byte[] Read(WriteSlice slice)
    {
        var bytes = new List<byte>();
        foreach (var part in slice) bytes.AddRange(part);
        return [.. bytes];
    }
}
