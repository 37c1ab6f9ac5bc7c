namespace Sluice.Primitives;

/// <summary>
/// The timers of a loop, by due time and, where that is equal, by age: a binary heap whose items know their index, so that a
/// cancelled one leaves at once and never piles up. Used on the loop's thread only.
/// </summary>
internal sealed class TimerHeap
{
    private (long Due, long Sequence, IHeapTimer Timer)[] _items = new (long, long, IHeapTimer)[16];

    public int Count { get; private set; }

    /// <summary>The sequence number that the next added timer gets: a mark that separates old timers from new ones.</summary>
    public long NextSequence { get; private set; }

    /// <summary>When the first timer is due, or <see cref="long.MaxValue"/> where there is none.</summary>
    public long FirstDue => Count == 0 ? long.MaxValue : _items[0].Due;

    public void Add(IHeapTimer timer) => Insert((timer.Due, NextSequence++, timer));

    /// <summary>Takes a timer out. False where it is not in the heap.</summary>
    public bool Remove(IHeapTimer timer)
    {
        if (timer.HeapIndex < 0) return false;
        RemoveAt(timer.HeapIndex);
        return true;
    }

    /// <summary>Takes the first timer out if it is due at <paramref name="now"/> and older than the mark.</summary>
    /// <param name="now">Loop time in ticks.</param>
    /// <param name="mark">Only timers added before this value of <see cref="NextSequence"/> count.</param>
    /// <returns>The timer, or null where none qualifies.</returns>
    public IHeapTimer? TakeDue(long now, long mark)
    {
        // A timer younger than the mark may stand before older ones that qualify: look past it, without disturbing its age.
        var best = -1;
        FindDue(0, now, mark, ref best);
        if (best < 0) return null;
        var timer = _items[best].Timer;
        RemoveAt(best);
        return timer;
    }

    private void FindDue(int index, long now, long mark, ref int best)
    {
        if (index >= Count || _items[index].Due > now) return;
        if (best >= 0 && !Before(_items[index], _items[best])) return;
        if (_items[index].Sequence < mark)
        {
            best = index;
            return;
        }

        FindDue(2 * index + 1, now, mark, ref best);
        FindDue(2 * index + 2, now, mark, ref best);
    }

    private void Insert((long Due, long Sequence, IHeapTimer Timer) item)
    {
        if (Count == _items.Length) Array.Resize(ref _items, Count * 2);
        SiftUp(Count++, item);
    }

    private void RemoveAt(int index)
    {
        _items[index].Timer.HeapIndex = -1;
        var last = _items[--Count];
        _items[Count] = default;
        if (index == Count) return;
        if (index > 0 && Before(last, _items[(index - 1) / 2])) SiftUp(index, last);
        else SiftDown(index, last);
    }

    private void SiftUp(int index, (long Due, long Sequence, IHeapTimer Timer) item)
    {
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!Before(item, _items[parent])) break;
            Place(index, _items[parent]);
            index = parent;
        }

        Place(index, item);
    }

    private void SiftDown(int index, (long Due, long Sequence, IHeapTimer Timer) item)
    {
        while (true)
        {
            var child = 2 * index + 1;
            if (child >= Count) break;
            if (child + 1 < Count && Before(_items[child + 1], _items[child])) child++;
            if (!Before(_items[child], item)) break;
            Place(index, _items[child]);
            index = child;
        }

        Place(index, item);
    }

    private void Place(int index, (long Due, long Sequence, IHeapTimer Timer) item)
    {
        _items[index] = item;
        item.Timer.HeapIndex = index;
    }

    private static bool Before(in (long Due, long Sequence, IHeapTimer Timer) a, in (long Due, long Sequence, IHeapTimer Timer) b) =>
        a.Due != b.Due ? a.Due < b.Due : a.Sequence < b.Sequence;
}
