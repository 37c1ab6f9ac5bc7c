using Sluice.Primitives;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

public sealed class ReadStashTests
{
    [Fact]
    public void It_is_a_queue_of_bytes_whose_front_can_be_put_back()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var stash = new ReadStash(new SegmentPool());
            var model = new List<byte>();
            for (var step = 0; step < 100; step++)
            {
                if (random.Next(2) == 0)
                {
                    var bytes = new byte[random.Next(1, 6000)];
                    random.NextBytes(bytes);
                    stash.Append(bytes);
                    model.AddRange(bytes);
                }
                else if (model.Count > 0)
                {
                    var segment = stash.TakeFirst();
                    var taken = random.Next(1, segment.Length + 1);
                    Assert.Equal(model.Take(taken), segment.Span[..taken].ToArray());
                    model.RemoveRange(0, taken);
                    if (taken < segment.Length) stash.PutBack(segment.Span[taken..]);
                    stash.Return(segment);
                }

                Assert.Equal(model.Count > 0, stash.HasData);
            }
        }
    }

    [Fact]
    public void The_end_alone_is_no_data_and_yet_something()
    {
        var stash = new ReadStash(new SegmentPool());
        Assert.True(stash.IsEmpty);

        stash.End = IoError.None;

        Assert.False(stash.HasData);
        Assert.False(stash.IsEmpty);
    }

    [Fact]
    public void Clearing_gives_every_segment_back()
    {
        var pool = new SegmentPool();
        var stash = new ReadStash(pool);
        stash.Append(new byte[5000]);
        var first = stash.TakeFirst();
        stash.PutBack("rest"u8);
        stash.Return(first);

        stash.Clear();

        Assert.False(stash.HasData);
        Assert.Equal(3, pool.Free);
    }
}
