namespace Sluice.Loop;

/// <summary>What other threads hand to a loop. Any thread puts; the loop's thread takes all at once.</summary>
internal sealed class Inbox
{
    private readonly Lock _gate = new();
    private List<ReadyItem> _items = [];
    private List<ReadyItem> _taken = [];
    private volatile bool _hasItems;
    private bool _closed;

    public bool HasItems => _hasItems;

    /// <summary>Puts an item at the end.</summary>
    /// <param name="item">The item.</param>
    /// <param name="wake">True where the loop must be woken: the first item since the last take.</param>
    /// <returns>False once the inbox is closed; the item was not taken.</returns>
    public bool TryPut(in ReadyItem item, out bool wake)
    {
        lock (_gate)
        {
            wake = !_hasItems && !_closed;
            if (_closed) return false;
            _items.Add(item);
            _hasItems = true;
            return true;
        }
    }

    public void TakeInto(ref ReadyQueue ready)
    {
        if (!_hasItems) return;
        lock (_gate)
        {
            (_items, _taken) = (_taken, _items);
            _hasItems = false;
        }

        foreach (var item in _taken) ready.Enqueue(item);
        _taken.Clear();
    }

    public void Close()
    {
        lock (_gate) _closed = true;
    }
}
