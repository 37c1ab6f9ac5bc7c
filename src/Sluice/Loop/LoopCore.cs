using Sluice.Backends;
using Sluice.Loop.Reports;
using Sluice.Primitives;

namespace Sluice.Loop;

/// <summary>
/// Time and turns: the part of the event loop that transports know. It runs passes over one backend on one thread; the face that
/// users hold, <c>EventLoop</c>, owns it and makes the transports.
/// </summary>
/// <remarks>
/// A pass:
/// <code>
/// take what other threads handed over
/// run exactly the ready items present          together they are a step: what they wrote leaves when the last has returned
/// poll the backend                             each event is a step; no wait if anything is ready or the loop is to stop
/// run the timers that are due                  together they are a step; none that is younger than a ready item still waiting
/// </code>
/// What a step queues waits for the next pass, so that no chain of callbacks can starve the kernel. Items and timers share a step because programs
/// that await write this way: fifty replies that arrive in one read resume fifty methods, each of which writes its next request.
/// </remarks>
internal sealed class LoopCore
{
    private const long UnknownTick = -1;

    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    [ThreadStatic]
    private static LoopCore? _current;

    private readonly TurnQueue _turns = new();
    private readonly TimerHeap _timers = new();
    private readonly TimeSpan _spin;
    private FlushList _flushes;
    private volatile bool _stopAsked;
    private long _tick = UnknownTick;

    public LoopCore(IoBackend backend, EventLoopOptions options)
    {
        Backend = backend;
        Segments = new SegmentPool(options.OwnWriteBudget is { } own ? new WriteBudget(own) : WriteBudget.Process);
        Errors = new CallbackErrors(options.Logger, this);
        Debug = options.Debug ?? DebugByDefault();
        SlowCallbackDuration = options.SlowCallbackDuration;
        SynchronizationContext = new LoopSynchronizationContext(this);
        Deadlines = new Deadlines(this);
        _spin = options.SpinBeforeBlocking;
    }

    /// <summary>The loop that runs on this thread, or null.</summary>
    public static LoopCore? Current => _current;

    public IoBackend Backend { get; }

    public SegmentPool Segments { get; }

    public CallbackErrors Errors { get; }

    public LoopSynchronizationContext SynchronizationContext { get; }

    /// <summary>The limits of time of its connections.</summary>
    public Deadlines Deadlines { get; }

    public bool Debug { get; set; }

    public TimeSpan SlowCallbackDuration { get; set; }

    public TimeSpan Time => Backend.Clock.Now;

    /// <summary>The time, as far as a pass goes: read from the clock when it is first asked for in the ready items of a pass, or after its poll.</summary>
    public long Tick => _tick != UnknownTick ? _tick : _tick = Time.Ticks;

    /// <summary>Set between the first pass of a run and its last.</summary>
    public bool IsRunning { get; private set; }

    public bool IsClosed { get; private set; }

    /// <summary>Channels that the kernel still holds for us: what the loop's end waits for.</summary>
    public int OpenChannels { get; set; }

    /// <summary>How many passes have run: for tests of what keeps a loop busy.</summary>
    public long Passes { get; private set; }

    public bool IsOnThread => _current == this;

    /// <summary>A thread was started for the loop: it belongs to that thread also before and between its runs.</summary>
    public bool HasOwnThread { get; set; }

    public bool HasReadyWork => _turns.HasItems;

    /// <summary>Something was written while the loop rested: it leaves when the next pass begins.</summary>
    public bool HasUnflushedWrites => !_flushes.IsEmpty;

    /// <summary>When the first timer is due, or null where there is none.</summary>
    public TimeSpan? NextTimer => _timers.Count == 0 ? null : new TimeSpan(_timers.FirstDue);

    /// <summary>
    /// Throws unless the caller may act on the loop's objects: it is the loop's thread, or the loop does not run (then nothing races).
    /// </summary>
    public void VerifyThread()
    {
        if (_current != this && (IsRunning || HasOwnThread)) ThrowOffThread();
    }

    /// <summary>As <see cref="VerifyThread"/>, and throws once the loop is closed.</summary>
    public void VerifyUsable()
    {
        VerifyThread();
        if (IsClosed) ThrowClosed();
    }

    /// <summary>Queues a turn behind all that is ready. On the loop's thread.</summary>
    public void Enqueue(ILoopWork work, int code) => _turns.Append(new ReadyItem(work, null, code));

    /// <summary>Queues a turn from any thread, in one FIFO with <see cref="Enqueue"/>.</summary>
    /// <returns>False once the loop is closed.</returns>
    public bool TryPost(ILoopWork work, int code) => TryPost(new ReadyItem(work, null, code));

    /// <summary>Queues a callback from any thread.</summary>
    /// <returns>False once the loop is closed.</returns>
    public bool TryPost(SendOrPostCallback callback, object? state) => TryPost(new ReadyItem(callback, state, 0));

    public void AddTimer(IHeapTimer timer) => _timers.Add(timer);

    public void RemoveTimer(IHeapTimer timer) => _timers.Remove(timer);

    /// <summary>Forgets all timers: the loop ends.</summary>
    public void ClearTimers()
    {
        while (_timers.TakeDue(long.MaxValue, long.MaxValue) is not null)
        {
        }
    }

    /// <summary>Puts a transport on the list of those that flush when the step ends. The caller makes sure that it is not on it already.</summary>
    public void FlushAtEndOfStep(IStepFlush item) => _flushes.Add(item);

    /// <summary>
    /// Ends a step, the outermost dispatch of one event, of the ready items of a pass or of its timers: what it wrote leaves, and its ExecutionContext is left.
    /// Every method of a sink ends with it.
    /// </summary>
    public void EndStep()
    {
        Flush();
        CallbackContext.Enter(null);
    }

    /// <summary>
    /// Tells the exception handler what a callback threw that no user code surrounds. What the step has written leaves before: asyncio would have handed it to the kernel
    /// already, and a handler may end the process.
    /// </summary>
    public void ReportThrown(ExceptionContext context)
    {
        Flush();
        Errors.Report(context);
    }

    /// <summary>Asks the run under way, or the next one, to end after its pass. From any thread.</summary>
    public void Stop()
    {
        _stopAsked = true;
        Backend.Wake();
    }

    /// <summary>
    /// Runs passes until the task is done or <see cref="Stop"/> is called; at least one. The thread must have entered the loop.
    /// </summary>
    public void RunPasses(Task? until)
    {
        using var wakeUp = until is null ? null : new WakeWhenDone(Backend, until);
        do
        {
            RunPass(Timeout.InfiniteTimeSpan, until);
        }
        while (!_stopAsked && until is not { IsCompleted: true });

        _stopAsked = false;
    }

    /// <summary>One pass that waits at most for <paramref name="longestWait"/>. The thread must have entered the loop.</summary>
    public void RunPass(TimeSpan longestWait, Task? until = null)
    {
        Passes++;
        _tick = UnknownTick;
        // While the loop rests its objects may be used, and what was written then belongs to no step.
        if (!_flushes.IsEmpty) EndStep();
        _turns.TakeOver();
        var mark = _timers.NextSequence;
        if (_turns.Ready > 0) RunReadyItems();

        // What became ready in this pass runs before timers that are as young; where nothing did, all timers may run.
        if (_turns.Ready == 0) mark = _timers.NextSequence;
        // Events are of the time at which the wait ends, and none follow the pass.
        _tick = UnknownTick;
        PollBackend(WaitTime(longestWait, until), until);
        RunTimers(mark);
        _tick = UnknownTick;
    }

    /// <summary>
    /// Makes this thread the loop's, with its SynchronizationContext, until the scope is disposed of. Refuses to nest loops, unless one ends
    /// inside another's callback.
    /// </summary>
    public RunScope Enter(bool toEnd = false)
    {
        if (IsClosed) ThrowClosed();
        if (IsRunning) throw new InvalidOperationException("This event loop is already running.");
        if (_current is not null && !toEnd) throw new InvalidOperationException("Cannot run the event loop while another loop is running on this thread.");
        return new RunScope(this);
    }

    /// <summary>Drops everything that is queued and refuses more. Not while running.</summary>
    public void Close()
    {
        if (IsClosed) return;
        Errors.Close();
        IsClosed = true;
        HasOwnThread = false;
        _turns.Close();
        Segments.Close();
        Backend.Dispose();
    }

    /// <summary>In debug mode, when a callback starts; hand it to <see cref="EndCallback"/>.</summary>
    public TimeSpan StartCallback() => Debug ? Time : default;

    /// <summary>In debug mode, reports a callback that took long.</summary>
    public void EndCallback(TimeSpan started, object what)
    {
        if (!Debug) return;
        var took = Time - started;
        if (took >= SlowCallbackDuration) Errors.LogSlowCallback(what, took);
    }

    private static bool DebugByDefault()
    {
        if (AppContext.TryGetSwitch("Sluice.Debug", out var on)) return on;
        var variable = Environment.GetEnvironmentVariable("SLUICE_DEBUG");
        return variable is "1" || string.Equals(variable, "true", StringComparison.OrdinalIgnoreCase);
    }

    private bool TryPost(in ReadyItem item)
    {
        if (_current == this && !IsClosed)
        {
            _turns.Append(item);
            return true;
        }

        if (!_turns.TryPut(item, out var wake)) return false;
        if (wake) Backend.Wake();
        return true;
    }

    private void Flush()
    {
        while (_flushes.TryTake(out var item)) item.FlushStep();
    }

    private void RunReadyItems()
    {
        for (var left = _turns.Ready; left > 0; left--)
        {
            RunReady(_turns.Dequeue());
            CallbackContext.Enter(null);
        }

        Flush();
    }

    private void RunReady(in ReadyItem item)
    {
        if (item.Target is ILoopWork work) work.Run(item.Code);
        else RunPosted((SendOrPostCallback)item.Target, item.State);
    }

    private void RunPosted(SendOrPostCallback callback, object? state)
    {
        var started = StartCallback();
        try
        {
            callback(state);
        }
        catch (Exception exception)
        {
            ReportThrown(new ExceptionContext("Exception in callback") { Exception = exception });
        }

        if (Debug) EndCallback(started, callback.Method);
    }

    private TimeSpan WaitTime(TimeSpan longestWait, Task? until)
    {
        if (HasReadyWork || _stopAsked || until is { IsCompleted: true }) return TimeSpan.Zero;
        var wait = longestWait;
        if (_timers.Count > 0)
        {
            // Compared first: the distance to a time at either end of the scale would overflow.
            var now = Time.Ticks;
            var untilTimer = _timers.FirstDue <= now ? 0 : Math.Min(_timers.FirstDue - now, LongestWait.Ticks);
            if (wait < TimeSpan.Zero || untilTimer < wait.Ticks) wait = new TimeSpan(untilTimer);
        }

        return wait;
    }

    private void PollBackend(TimeSpan wait, Task? until)
    {
        if (_spin > TimeSpan.Zero && wait != TimeSpan.Zero)
        {
            var started = Time;
            var end = started + (wait > TimeSpan.Zero && wait < _spin ? wait : _spin);
            do
            {
                // A wake-up that one of these polls has taken does not come again: whatever it may stand for is looked at here.
                var reported = Backend.Poll(TimeSpan.Zero);
                Errors.WarnOfCuts(Backend);
                if (reported || HasReadyWork || _stopAsked || until is { IsCompleted: true }) return;
            }
            while (Time < end);

            // Never negative: a rest of -1 ms would read as no end.
            if (wait > TimeSpan.Zero) wait = new TimeSpan(Math.Max(0, (wait - (Time - started)).Ticks));
        }

        Backend.Poll(wait);
        Errors.WarnOfCuts(Backend);
    }

    private void RunTimers(long mark)
    {
        if (_timers.Count == 0) return;
        var now = Time.Ticks;
        while (_timers.TakeDue(now, mark) is { } timer)
        {
            ((ILoopWork)timer).Run(0);
            CallbackContext.Enter(null);
        }

        Flush();
    }

    private static void ThrowClosed() => throw new ObjectDisposedException("EventLoop", "The event loop is closed.");

    private static void ThrowOffThread() => throw new InvalidOperationException(
        "This member belongs to the loop's thread, and this is another one. From outside use EventLoop.CallSoonThreadSafe or " +
        "EventLoop.InvokeAsync. Inside, did an await above use ConfigureAwait(false)?");

    /// <summary>The span of a run on this thread.</summary>
    internal readonly ref struct RunScope
    {
        private readonly LoopCore _loop;
        private readonly LoopCore? _previousLoop;
        private readonly SynchronizationContext? _previousContext;
        private readonly ExecutionContext _previousExecution;
        private readonly bool _flowWasSuppressed;

        public RunScope(LoopCore loop)
        {
            _loop = loop;
            _previousLoop = _current;
            _previousContext = System.Threading.SynchronizationContext.Current;
            _flowWasSuppressed = ExecutionContext.IsFlowSuppressed();
            if (_flowWasSuppressed) ExecutionContext.RestoreFlow();
            _previousExecution = ExecutionContext.Capture()!;
            _current = loop;
            loop.IsRunning = true;
            CallbackContext.Enter(null);
            System.Threading.SynchronizationContext.SetSynchronizationContext(loop.SynchronizationContext);
        }

        public void Dispose()
        {
            _loop.IsRunning = false;
            _current = _previousLoop;
            System.Threading.SynchronizationContext.SetSynchronizationContext(_previousContext);
            ExecutionContext.Restore(_previousExecution);
            if (_flowWasSuppressed) ExecutionContext.SuppressFlow();
        }
    }
}
