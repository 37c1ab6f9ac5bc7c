using Sluice.Primitives;

namespace Sluice.Tests.Primitives;

public sealed class TimerHeapTests
{
    [Fact]
    [Case("LOOP-013")]
    public void Timers_of_the_same_time_are_taken_in_the_order_they_were_added()
    {
        var heap = new TimerHeap();
        var timers = Enumerable.Range(0, 50).Select(_ => new StubTimer(7)).ToList();
        timers.ForEach(heap.Add);

        var taken = Enumerable.Range(0, 50).Select(_ => heap.TakeDue(7, long.MaxValue)).ToList();

        Assert.Equal(timers, taken);
        Assert.Equal(long.MaxValue, heap.FirstDue);
    }

    [Fact]
    [Case("LOOP-011")]
    public void Timers_of_the_past_are_taken_by_due_time()
    {
        var heap = new TimerHeap();
        var (later, earlier) = (new StubTimer(-1), new StubTimer(-2));
        heap.Add(later);
        heap.Add(earlier);

        Assert.Same(earlier, heap.TakeDue(0, long.MaxValue));
        Assert.Same(later, heap.TakeDue(0, long.MaxValue));
    }

    [Fact]
    public void A_timer_younger_than_the_mark_waits_though_it_is_due_first()
    {
        var heap = new TimerHeap();
        var old = new StubTimer(5);
        heap.Add(old);
        var mark = heap.NextSequence;
        var young = new StubTimer(1);
        heap.Add(young);

        Assert.Same(old, heap.TakeDue(10, mark));
        Assert.Null(heap.TakeDue(10, mark));
        Assert.Same(young, heap.TakeDue(10, heap.NextSequence));
    }

    [Fact]
    public void It_agrees_with_a_sorted_list_for_any_sequence_of_operations()
    {
        for (var seed = 0; seed < 300; seed++) CompareWithModel(new Random(seed));
    }

    [Fact]
    [Case("LOOP-017")]
    public void A_hundred_thousand_cancelled_timers_do_not_pile_up()
    {
        var heap = new TimerHeap();
        var random = new Random(3);
        for (var i = 0; i < 100_000; i++)
        {
            var timer = new StubTimer(random.Next(1_000_000));
            heap.Add(timer);
            if (i % 1000 != 0) Assert.True(heap.Remove(timer));
        }

        Assert.Equal(100, heap.Count);
    }

    [Fact]
    public void A_timer_outside_the_heap_cannot_be_removed()
    {
        var heap = new TimerHeap();
        var timer = new StubTimer(1);
        Assert.False(heap.Remove(timer));
        heap.Add(timer);
        Assert.True(heap.Remove(timer));

        Assert.False(heap.Remove(timer));
        Assert.Equal(-1, timer.HeapIndex);
    }

    private static void CompareWithModel(Random random)
    {
        var heap = new TimerHeap();
        var model = new List<(long Due, long Sequence, StubTimer Timer)>();
        var marks = new List<long> { 0 };
        for (var step = 0; step < 300; step++)
        {
            marks.Add(heap.NextSequence);
            switch (random.Next(4))
            {
                case 0 or 1:
                    var added = new StubTimer(random.Next(20));
                    model.Add((added.Due, heap.NextSequence, added));
                    heap.Add(added);
                    break;
                case 2 when model.Count > 0:
                    var index = random.Next(model.Count);
                    Assert.True(heap.Remove(model[index].Timer));
                    model.RemoveAt(index);
                    break;
                default:
                    var (now, mark) = (random.Next(25), marks[random.Next(marks.Count)]);
                    var expected = model.Where(item => item.Due <= now && item.Sequence < mark).Order().FirstOrDefault();
                    Assert.Same(expected.Timer, heap.TakeDue(now, mark));
                    model.Remove(expected);
                    break;
            }

            Assert.Equal(model.Count, heap.Count);
            Assert.Equal(model.Count == 0 ? long.MaxValue : model.Min(item => item.Due), heap.FirstDue);
        }
    }

    /// <summary>Never compared with another: no two have the same sequence.</summary>
    private sealed class StubTimer(long due) : IHeapTimer, IComparable<StubTimer>
    {
        public long Due => due;

        public int HeapIndex { get; set; } = -1;

        public int CompareTo(StubTimer? other) => 0;
    }
}
