using System.Diagnostics;
using Sluice.Primitives;

namespace Sluice.Loop;

/// <summary>
/// The limits of time of a loop's connections: one timer for all of them, in memory of its own that grows with their number and is used again. Owned by the loop; used on its thread.
/// </summary>
/// <remarks>
/// <para>A byte that moves costs a store: the time of the pass, which is read from the clock at most once a pass. Nothing is sorted anew then. When a connection falls due, what has happened
/// meanwhile says when it really is, and it is put there; so each is looked at about once in the length of its limit.</para>
/// <para>Times are rounded up to the 64th part of the limit: connections that were made one after the other share their wake-ups.</para>
/// </remarks>
internal sealed class Deadlines(LoopCore loop) : IHeapTimer, ILoopWork
{
    private const int ChunkBits = 8;
    private const int ChunkSize = 1 << ChunkBits;
    private const int GridParts = 64;
    private const int NotInHeap = -1;

    private Entry[][] _chunks = [];
    private int[] _heap = [];
    private int _waiting;
    private int _used = 1;
    private int _free;
    private long _due;

    /// <summary>How many are watched.</summary>
    public int Count { get; private set; }

    /// <summary>How often one was looked at because it was due.</summary>
    public long Visits { get; private set; }

    long IHeapTimer.Due => _due;

    int IHeapTimer.HeapIndex { get; set; } = -1;

    /// <summary>Makes a place for it; its time begins to run with <see cref="Begin"/>.</summary>
    /// <returns>The place: never 0.</returns>
    public int Watch(ILimited owner, in ConnectionLimits limits)
    {
        var place = _free;
        if (place != 0) _free = At(place).Next;
        else place = NewPlace();
        ref var entry = ref At(place);
        entry = new Entry { Owner = owner, Limits = limits, HeapIndex = NotInHeap };
        entry.LastRead = entry.LastWrite = entry.WindowStart = loop.Tick;
        Count++;
        return place;
    }

    /// <summary>Gives the place to another, whose time does not run yet.</summary>
    public void HandOver(int place, ILimited owner)
    {
        Leave(ref At(place));
        At(place).Owner = owner;
    }

    /// <summary>From now on the time runs.</summary>
    public void Begin(int place)
    {
        ref var entry = ref At(place);
        entry.LastRead = entry.LastWrite = loop.Tick;
        StartWindow(ref entry);
        Enter(place, ref entry, NextDue(ref entry, entry.LastRead, out _));
    }

    /// <summary>Forgets it.</summary>
    public void Forget(int place)
    {
        ref var entry = ref At(place);
        Leave(ref entry);
        entry = new Entry { Next = _free, HeapIndex = NotInHeap };
        _free = place;
        Count--;
    }

    /// <summary>Bytes have come from the peer.</summary>
    public void NoteRead(int place, int count)
    {
        ref var entry = ref At(place);
        entry.LastRead = loop.Tick;
        entry.InWindow += count;
    }

    /// <summary>Bytes have gone to the peer.</summary>
    public void NoteWritten(int place) => At(place).LastWrite = loop.Tick;

    /// <summary>The app reads again: the peer has time anew.</summary>
    public void NoteResumed(int place)
    {
        ref var entry = ref At(place);
        entry.LastRead = loop.Tick;
        StartWindow(ref entry);
    }

    /// <summary>When a byte moved last.</summary>
    public long LastActivity(int place) => At(place).LastActivity;

    void ILoopWork.Run(int code)
    {
        var now = loop.Time.Ticks;
        while (_waiting > 0 && At(_heap[0]).Due <= now) Visit(_heap[0], now);
        Arm();
    }

    private void Visit(int place, long now)
    {
        Visits++;
        ref var entry = ref At(place);
        Leave(ref entry);
        var due = NextDue(ref entry, now, out var limit);
        if (due > now)
        {
            Enter(place, ref entry, due);
            return;
        }

        entry.Owner!.OnLimit(limit);
        loop.EndStep();
    }

    /// <summary>When the first limit would be reached if nothing moved from here on.</summary>
    private static long NextDue(ref Entry entry, long now, out ConnectionLimit limit)
    {
        var awaits = entry.Owner!.Awaits;
        limit = ConnectionLimit.IdleTimeout;
        var due = After(awaits == Awaited.App ? now : entry.LastActivity, entry.Limits.Idle);
        if (awaits != Awaited.Bytes)
        {
            // What is not read cannot be late: looked at again when it could be at the earliest.
            return Math.Min(due, After(now, Math.Min(entry.Limits.Read, entry.Limits.Window)));
        }

        Reduce(ref due, After(entry.LastRead, entry.Limits.Read), ConnectionLimit.ReadTimeout, ref limit);
        if (entry.Limits.Window == ConnectionLimits.Never) return due;
        var windowEnd = After(entry.WindowStart, entry.Limits.Window);
        if (windowEnd <= now && entry.InWindow >= entry.Limits.LeastInWindow)
        {
            entry.WindowStart = now;
            entry.InWindow = 0;
            windowEnd = After(now, entry.Limits.Window);
        }

        Reduce(ref due, windowEnd, ConnectionLimit.MinReadRate, ref limit);
        return due;
    }

    private static void Reduce(ref long due, long other, ConnectionLimit which, ref ConnectionLimit limit)
    {
        if (other >= due) return;
        due = other;
        limit = which;
    }

    private static long After(long time, long span) => span > long.MaxValue - time ? long.MaxValue : time + span;

    private void StartWindow(ref Entry entry)
    {
        entry.WindowStart = loop.Tick;
        entry.InWindow = 0;
    }

    private void Enter(int place, ref Entry entry, long due)
    {
        if (due == ConnectionLimits.Never) return;
        entry.Due = RoundUp(due, Math.Max(1, entry.Limits.Shortest / GridParts));
        if (_waiting == _heap.Length) Array.Resize(ref _heap, Math.Max(16, 2 * _waiting));
        SiftUp(_waiting++, place);
        if (_heap[0] == place) Arm();
    }

    private static long RoundUp(long due, long grid)
    {
        var past = due % grid;
        return past == 0 ? due : After(due, grid - past);
    }

    private void Leave(ref Entry entry)
    {
        var index = entry.HeapIndex;
        if (index == NotInHeap) return;
        entry.HeapIndex = NotInHeap;
        var last = _heap[--_waiting];
        if (index == _waiting) return;
        if (index > 0 && At(last).Due < At(_heap[(index - 1) / 2]).Due) SiftUp(index, last);
        else SiftDown(index, last);
    }

    private void SiftUp(int index, int place)
    {
        var due = At(place).Due;
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (due >= At(_heap[parent]).Due) break;
            Put(index, _heap[parent]);
            index = parent;
        }

        Put(index, place);
    }

    private void SiftDown(int index, int place)
    {
        var due = At(place).Due;
        while (true)
        {
            var child = 2 * index + 1;
            if (child >= _waiting) break;
            if (child + 1 < _waiting && At(_heap[child + 1]).Due < At(_heap[child]).Due) child++;
            if (At(_heap[child]).Due >= due) break;
            Put(index, _heap[child]);
            index = child;
        }

        Put(index, place);
    }

    private void Put(int index, int place)
    {
        _heap[index] = place;
        At(place).HeapIndex = index;
    }

    /// <summary>The loop's timer stands at the first; it may come early, where that one has left.</summary>
    private void Arm()
    {
        var isArmed = ((IHeapTimer)this).HeapIndex >= 0;
        if (_waiting == 0 || (isArmed && _due <= At(_heap[0]).Due)) return;
        if (isArmed) loop.RemoveTimer(this);
        _due = At(_heap[0]).Due;
        loop.AddTimer(this);
    }

    private int NewPlace()
    {
        var place = _used++;
        if (place >> ChunkBits < _chunks.Length) return place;
        Array.Resize(ref _chunks, _chunks.Length + 1);
        _chunks[^1] = new Entry[ChunkSize];
        return place;
    }

    private ref Entry At(int place)
    {
        Debug.Assert(place > 0 && place < _used, "no place");
        return ref _chunks[place >> ChunkBits][place & (ChunkSize - 1)];
    }

    private struct Entry
    {
        public ILimited? Owner;
        public ConnectionLimits Limits;
        public long LastRead;
        public long LastWrite;
        public long WindowStart;
        public long InWindow;
        public long Due;
        public int HeapIndex;
        public int Next;

        public readonly long LastActivity => Math.Max(LastRead, LastWrite);
    }
}
