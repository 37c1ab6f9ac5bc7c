using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Sluice.Primitives;

namespace Sluice.Tests.Primitives;

public sealed class DatagramQueueTests
{
    private const int Limit = 1 << 20;

    /// <summary>The last segment and the last block may be almost empty, and the ring that holds the blocks is small.</summary>
    private const int Slack = SegmentPool.LargestSize + 2 * 4096;

    [Fact, Case("UDP-050")]
    public void An_entry_takes_no_more_than_it_counts() => Assert.True(Unsafe.SizeOf<DatagramEntry>() <= DatagramQueue.EntrySize);

    [Theory, Case("UDP-050")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(513)]
    [InlineData(1025)]
    [InlineData(1400)]
    [InlineData(2049)]
    [InlineData(4097)]
    [InlineData(8193)]
    [InlineData(16_385)]
    [InlineData(32_769)]
    [InlineData(65_535)]
    [InlineData(100_000)]
    public void Datagrams_of_any_size_hold_at_most_twice_what_they_count(int size)
    {
        var pool = new SegmentPool();
        var queue = new DatagramQueue();
        var payload = new byte[size];
        queue.Append(pool, payload, default);
        queue.Clear(pool);

        var before = GC.GetAllocatedBytesForCurrentThread();
        while (queue.Held < Limit) queue.Append(pool, payload, default);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.InRange(pool.Held, 1, 2 * queue.Held + Slack);
        Assert.InRange(allocated, 1, 2 * queue.Held + Slack);
        queue.Clear(pool);
        Assert.Equal((0, 0, 0L, 0L), (queue.Count, queue.Size, queue.Held, pool.Held));
    }

    [Fact, Case("UDP-050")]
    public void The_names_of_Unix_sockets_are_counted_too()
    {
        var pool = new SegmentPool();
        var queue = new DatagramQueue();
        var path = "/" + new string('p', 100);
        var names = new UnixDomainSocketEndPoint[Limit / (1 + DatagramQueue.EntrySize + DatagramQueue.NameSize)];

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < names.Length; i++) names[i] = new UnixDomainSocketEndPoint(path + (i % 7));
        var held = GC.GetAllocatedBytesForCurrentThread() - before;
        foreach (var name in names) queue.Append(pool, [1], DatagramAddress.Of(name));

        Assert.Equal(names.Length * (1L + DatagramQueue.EntrySize + DatagramQueue.NameSize), queue.Held);
        Assert.InRange(held + pool.Held, 1, 2 * queue.Held + Slack);
        var same = DatagramAddress.Of(new UnixDomainSocketEndPoint(path));
        queue.Append(pool, [1], same);
        Assert.Equal(DatagramQueue.EntrySize + 1, queue.CostOf(1, same));
        Assert.Equal(DatagramQueue.EntrySize + 1, queue.CostOf(1, DatagramAddress.Of(new IPEndPoint(IPAddress.Loopback, 9))));
    }

    [Fact, Case("UDP-050")]
    public void A_burst_that_comes_again_allocates_nothing()
    {
        var pool = new SegmentPool();
        var queue = new DatagramQueue();
        var least = long.MaxValue;
        for (var round = 0; round < 4; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 700; i++) queue.Append(pool, "datagram"u8, default);
            queue.RemoveFirst(pool, 700);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void It_behaves_as_a_queue_of_datagrams()
    {
        for (var seed = 0; seed < 60; seed++) CompareWithModel(new Random(seed));
    }

    [Fact]
    public void A_queue_that_grows_beyond_its_ring_of_blocks_keeps_its_order()
    {
        var pool = new SegmentPool();
        var queue = new DatagramQueue();
        for (var i = 0; i < 1000; i++) queue.Append(pool, BitConverter.GetBytes(i), default);
        queue.RemoveFirst(pool, 300);
        for (var i = 1000; i < 5000; i++) queue.Append(pool, BitConverter.GetBytes(i), default);

        for (var i = 300; i < 5000; i++) Assert.Equal(i, BitConverter.ToInt32(queue.PayloadAt(i - 300)));
        queue.Clear(pool);
        Assert.Equal(0, pool.Held);
    }

    private static void CompareWithModel(Random random)
    {
        var pool = new SegmentPool();
        var queue = new DatagramQueue();
        var model = new Queue<(byte[] Payload, int Port)>();
        var largest = random.Next(3) switch { 0 => 4, 1 => 3000, _ => 70_000 };
        for (var step = 0; step < 400; step++)
        {
            if (random.Next(5) != 0)
            {
                for (var more = random.Next(largest > 4000 ? 4 : 60); more > 0; more--)
                {
                    var payload = new byte[random.Next(largest)];
                    random.NextBytes(payload);
                    var port = random.Next(1, 9);
                    queue.Append(pool, payload, DatagramAddress.OfIP([127, 0, 0, 1], (ushort)port));
                    model.Enqueue((payload, port));
                }
            }
            else
            {
                var count = random.Next(4) == 0 ? model.Count : random.Next(model.Count + 1);
                queue.RemoveFirst(pool, count);
                for (; count > 0; count--) model.Dequeue();
            }

            Assert.Equal(model.Count, queue.Count);
            Assert.Equal(model.Sum(static item => item.Payload.Length + DatagramQueue.HeaderSize), queue.Size);
            Assert.Equal(model.Sum(static item => (long)item.Payload.Length + DatagramQueue.EntrySize), queue.Held);
            if (model.Count == 0) Assert.Equal(0, pool.Held);
            var index = 0;
            foreach (var (payload, port) in model)
            {
                Assert.True(queue.PayloadAt(index).SequenceEqual(payload), "a payload differs from the model's");
                Assert.Equal(port, queue.AddressAt(index++).Port);
            }
        }
    }
}
