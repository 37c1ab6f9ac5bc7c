namespace Sluice.Loop;

/// <summary>What waits for its turn: an <see cref="ILoopWork"/> with a code, or a posted callback with its state.</summary>
internal readonly record struct ReadyItem(object Target, object? State, int Code);

/// <summary>The FIFO of ready items: a ring that grows and never shrinks. Used on the loop's thread only.</summary>
internal struct ReadyQueue
{
    private ReadyItem[] _items;
    private int _head;

    public ReadyQueue() => _items = new ReadyItem[64];

    public int Count { get; private set; }

    public void Enqueue(in ReadyItem item)
    {
        if (Count == _items.Length) Grow();
        _items[(_head + Count++) & (_items.Length - 1)] = item;
    }

    public ReadyItem Dequeue()
    {
        ref var slot = ref _items[_head];
        var item = slot;
        slot = default;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
        return item;
    }

    private void Grow()
    {
        var items = new ReadyItem[_items.Length * 2];
        for (var i = 0; i < Count; i++) items[i] = _items[(_head + i) & (_items.Length - 1)];
        _items = items;
        _head = 0;
    }
}
