namespace Sluice.Primitives;

/// <summary>Something with a due time that a <see cref="TimerHeap"/> can hold; it knows its own place there.</summary>
internal interface IHeapTimer
{
    /// <summary>Loop time in ticks of 100 ns.</summary>
    long Due { get; }

    /// <summary>The place in the heap, or -1 outside it. Only the heap sets it.</summary>
    int HeapIndex { get; set; }
}
