using Sluice.Primitives;

namespace Sluice.Loop;

/// <summary>
/// The loop's clock and timers as a <see cref="TimeProvider"/>: what <c>Task.Delay</c> and cancellation time-outs take. Callable from any
/// thread; callbacks come on the loop's thread. After the loop's end timers stay silent.
/// </summary>
internal sealed class LoopTimeProvider(LoopCore loop) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => loop.Time.Ticks;

    public override DateTimeOffset GetUtcNow() => loop.Backend.Clock.UtcNow;

    public override System.Threading.ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ProvidedTimer(loop, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>One timer of the provider: its schedule is kept under a lock, its place in the heap on the loop's thread.</summary>
    private sealed class ProvidedTimer(LoopCore loop, TimerCallback callback, object? state)
        : System.Threading.ITimer, IHeapTimer, ILoopWork
    {
        private const int Reschedule = 1;
        private readonly ExecutionContext? _context = CallbackContext.Capture();
        private readonly Lock _gate = new();
        private TimeSpan _nextDue = Timeout.InfiniteTimeSpan;
        private TimeSpan _period = Timeout.InfiniteTimeSpan;
        private bool _isDisposed;

        public long Due { get; private set; }

        public int HeapIndex { get; set; } = -1;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, Timeout.InfiniteTimeSpan);
            ArgumentOutOfRangeException.ThrowIfLessThan(period, Timeout.InfiniteTimeSpan);
            lock (_gate)
            {
                if (_isDisposed) return false;
                _nextDue = dueTime == Timeout.InfiniteTimeSpan ? dueTime : LoopTimes.After(loop.Time, dueTime);
                _period = period;
            }

            return Apply();
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isDisposed = true;
                _nextDue = Timeout.InfiniteTimeSpan;
            }

            Apply();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        public void Run(int code)
        {
            if (code == Reschedule)
            {
                PlaceInHeap();
                return;
            }

            lock (_gate)
            {
                // Another thread may have changed the schedule since this turn came due: the new one is on its way here.
                if (_nextDue == Timeout.InfiniteTimeSpan || _nextDue > loop.Time) return;
                var again = _period > TimeSpan.Zero;
                _nextDue = again ? LoopTimes.After(loop.Time, _period) : Timeout.InfiniteTimeSpan;
            }

            PlaceInHeap();
            var started = loop.StartCallback();
            CallbackContext.Enter(_context);
            try
            {
                callback(state);
            }
            catch (Exception exception)
            {
                loop.ReportThrown(new ExceptionContext("Exception in callback of a timer") { Exception = exception });
            }

            if (loop.Debug) loop.EndCallback(started, callback.Method);
        }

        private bool Apply()
        {
            if (!loop.IsOnThread) return loop.TryPost(this, Reschedule);
            PlaceInHeap();
            return true;
        }

        private void PlaceInHeap()
        {
            loop.RemoveTimer(this);
            TimeSpan due;
            lock (_gate) due = _nextDue;
            if (due == Timeout.InfiniteTimeSpan) return;
            Due = due.Ticks;
            loop.AddTimer(this);
        }
    }
}
