namespace Sluice.Backends.Epoll;

/// <summary>
/// Finds the target of an event. A token is a slot's number and its generation, which changes when the slot is given up: an event that
/// was fetched before its target was closed finds nobody, even if the slot or the descriptor's number is in use again. Owned by the backend.
/// </summary>
internal sealed class SlotTable
{
    private const int None = -1;

    private Slot[] _slots = new Slot[64];
    private int _used;
    private int _free = None;

    public int Count { get; private set; }

    public ulong Add(IEpollTarget target)
    {
        int index;
        if (_free != None)
        {
            index = _free;
            _free = _slots[index].NextFree;
        }
        else
        {
            if (_used == _slots.Length) Array.Resize(ref _slots, _used * 2);
            index = _used++;
        }

        ref var slot = ref _slots[index];
        slot.Target = target;
        Count++;
        return (ulong)slot.Generation << 32 | (uint)index;
    }

    /// <summary>Hands a slot, with its token, from one target to its successor on the same descriptor.</summary>
    public void Replace(ulong token, IEpollTarget target) => _slots[(int)(uint)token].Target = target;

    public void Remove(ulong token)
    {
        var index = (int)(uint)token;
        ref var slot = ref _slots[index];
        slot.Target = null;
        slot.Generation++;
        slot.NextFree = _free;
        _free = index;
        Count--;
    }

    /// <summary>The target of an event, or null where the event is stale.</summary>
    public IEpollTarget? Find(ulong token)
    {
        var index = (uint)token;
        var slots = _slots;
        if (index >= (uint)slots.Length) return null;
        ref var slot = ref slots[index];
        return slot.Generation == (uint)(token >> 32) ? slot.Target : null;
    }

    public IEnumerable<IEpollTarget> Targets()
    {
        for (var i = 0; i < _used; i++)
        {
            if (_slots[i].Target is { } target) yield return target;
        }
    }

    private struct Slot
    {
        public IEpollTarget? Target;
        public uint Generation;
        public int NextFree;
    }
}
