namespace Sluice.Loop;

/// <summary>
/// The transports whose small writes wait for the end of the step: a list through the transports themselves, in the order of their first
/// writes. A struct inside the loop.
/// </summary>
internal struct FlushList
{
    private IStepFlush? _head;
    private IStepFlush? _tail;

    public readonly bool IsEmpty => _head is null;

    /// <summary>Puts a transport at the end. The caller makes sure that it is not in the list already.</summary>
    public void Add(IStepFlush item)
    {
        if (_tail is null) _head = item;
        else _tail.NextToFlush = item;
        _tail = item;
    }

    /// <summary>Takes the first one out. A flush calls users, who may write: the list can grow meanwhile.</summary>
    public bool TryTake(out IStepFlush item)
    {
        item = _head!;
        if (item is null) return false;
        _head = item.NextToFlush;
        if (_head is null) _tail = null;
        item.NextToFlush = null;
        return true;
    }
}
