namespace Sluice.Loop;

/// <summary>
/// What waits for its turn on a loop: one FIFO of what the loop's own thread queues and what other threads hand over. Owned by the loop;
/// only <see cref="TryPut"/> and <see cref="HasItems"/> are for other threads.
/// </summary>
internal sealed class TurnQueue
{
    private readonly Inbox _inbox = new();
    private ReadyQueue _ready = new();

    public bool HasItems => _ready.Count > 0 || _inbox.HasItems;

    /// <summary>How many items a pass has to run: what other threads hand over later is not among them until it is taken over.</summary>
    public int Ready => _ready.Count;

    /// <summary>Puts an item at the end, from the loop's thread.</summary>
    public void Append(in ReadyItem item)
    {
        // What another thread has handed over before stands before it.
        TakeOver();
        _ready.Enqueue(item);
    }

    /// <summary>Puts an item at the end, from any other thread.</summary>
    /// <returns>False once the queue is closed.</returns>
    public bool TryPut(in ReadyItem item, out bool wake) => _inbox.TryPut(item, out wake);

    public void TakeOver() => _inbox.TakeInto(ref _ready);

    public ReadyItem Dequeue() => _ready.Dequeue();

    /// <summary>Takes nothing more. What is still in it goes: see <see cref="ILoopWork.Abandon"/>.</summary>
    public void Close()
    {
        _inbox.Close();
        TakeOver();
        while (_ready.Count > 0)
        {
            var item = _ready.Dequeue();
            // A posted continuation that is dropped would skip the `finally` blocks of its async method.
            if (item.Target is SendOrPostCallback callback) LoopSynchronizationContext.PostToThreadPool(callback, item.State);
            else ((ILoopWork)item.Target).Abandon();
        }
    }
}
