namespace Sluice;

/// <summary>A callback that was queued with the loop and can still be taken back. (asyncio: <c>Handle</c>.)</summary>
public abstract class Handle
{
    private protected Handle()
    {
    }

    /// <summary>True after <see cref="Cancel"/>; false before it and after a normal run.</summary>
    public abstract bool IsCancelled { get; }

    /// <summary>Takes the callback back and drops the reference to it at once. Does nothing after it has run, or a second time.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public abstract void Cancel();
}
