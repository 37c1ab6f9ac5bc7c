using Sluice.Loop;

namespace Sluice.Tests.Loop;

public sealed class ReadyQueueTests
{
    [Fact]
    public void It_is_first_in_first_out_for_any_sequence_of_operations()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var queue = new ReadyQueue();
            var model = new Queue<ReadyItem>();
            for (var step = 0; step < 1000; step++)
            {
                if (random.Next(5) < 3)
                {
                    var item = new ReadyItem(queue, null, step);
                    queue.Enqueue(item);
                    model.Enqueue(item);
                }
                else if (model.Count > 0)
                {
                    Assert.Equal(model.Dequeue().Code, queue.Dequeue().Code);
                }

                Assert.Equal(model.Count, queue.Count);
            }
        }
    }

    [Fact]
    [Case("LOOP-018")]
    public void What_has_left_is_not_kept_alive()
    {
        var queue = new ReadyQueue();
        var reference = EnqueueAndDequeue(ref queue);

        GC.Collect();

        Assert.False(reference.IsAlive);
        Assert.Equal(0, queue.Count);
    }

    // A frame of its own, so that no local of the test holds the object.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference EnqueueAndDequeue(ref ReadyQueue queue)
    {
        var state = new object();
        queue.Enqueue(new ReadyItem(state, state, 0));
        queue.Dequeue();
        return new WeakReference(state);
    }
}
