using System.Diagnostics.CodeAnalysis;
using Sluice.Ending;
using Sluice.Loop;

namespace Sluice;

/// <content>Callbacks, timers, other threads, and where exceptions go.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Hears of exceptions that no caller could: those of callbacks. Null, the default, logs them. Called on the loop's thread; what it throws is
    /// logged with what it was told.
    /// </summary>
    public Action<EventLoop, ExceptionContext>? ExceptionHandler
    {
        get;
        set
        {
            field = value;
            _core.Errors.Handler = value is null ? null : context => value(this, context);
        }
    }

    /// <summary>
    /// Debug mode: reports slow callbacks and transports that were never closed, and records where callbacks were queued. Blocking waits are
    /// reported only where the loop was made in debug mode.
    /// </summary>
    public bool Debug
    {
        get => _core.Debug;
        set => _core.Debug = value;
    }

    /// <summary>In debug mode, how long a callback may run before it is reported.</summary>
    public TimeSpan SlowCallbackDuration
    {
        get => _core.SlowCallbackDuration;
        set => _core.SlowCallbackDuration = value;
    }

    /// <summary>The loop's clock: it never goes back, counts from an arbitrary start, and is read anew at each call.</summary>
    public TimeSpan Time => _core.Time;

    /// <summary>
    /// The loop's clock and timers for <c>Task.Delay</c>, cancellation time-outs and other users of a TimeProvider. Callable from any
    /// thread; its timers' callbacks come on the loop's thread.
    /// </summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>Queues a callback for the next pass, behind all that is queued. (asyncio: <c>call_soon</c>.)</summary>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <returns>To cancel it.</returns>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Handle CallSoon(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return CallSoon(CallbackInvoker.RunAction, callback);
    }

    /// <inheritdoc cref="CallSoon(Action)"/>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <param name="state">What it is called with: spares a closure.</param>
    public Handle CallSoon(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        _core.VerifyUsable();
        var handle = new CallbackHandle(_core, callback, state);
        _core.Enqueue(handle, 0);
        return handle;
    }

    /// <summary>
    /// As <see cref="CallSoon(Action)"/>, from any thread, in one FIFO with it; wakes the loop where it waits. (asyncio:
    /// <c>call_soon_threadsafe</c>.)
    /// </summary>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <returns>To cancel it, on the loop's thread.</returns>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Handle CallSoonThreadSafe(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return CallSoonThreadSafe(CallbackInvoker.RunAction, callback);
    }

    /// <inheritdoc cref="CallSoonThreadSafe(Action)"/>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <param name="state">What it is called with: spares a closure.</param>
    public Handle CallSoonThreadSafe(Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var handle = new CallbackHandle(_core, callback, state);
        Post(handle);
        return handle;
    }

    /// <summary>
    /// Queues a callback for a later time. Equal times keep the order of the calls; a zero or negative delay still comes after what
    /// CallSoon has queued. (asyncio: <c>call_later</c>.)
    /// </summary>
    /// <param name="delay">From now. <see cref="Timeout.InfiniteTimeSpan"/> never comes due.</param>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext; never before the delay has passed.</param>
    /// <returns>To cancel it.</returns>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public TimerHandle CallLater(TimeSpan delay, Action callback) => CallAt(LoopTimes.After(Time, delay), callback);

    /// <inheritdoc cref="CallLater(TimeSpan, Action)"/>
    /// <param name="delay">From now.</param>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <param name="state">What it is called with: spares a closure.</param>
    public TimerHandle CallLater(TimeSpan delay, Action<object?> callback, object? state) => CallAt(LoopTimes.After(Time, delay), callback, state);

    /// <summary>Queues a callback for a point of <see cref="Time"/>. (asyncio: <c>call_at</c>.)</summary>
    /// <param name="when">The point of loop time.</param>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <returns>To cancel it.</returns>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public TimerHandle CallAt(TimeSpan when, Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return CallAt(when, CallbackInvoker.RunAction, callback);
    }

    /// <inheritdoc cref="CallAt(TimeSpan, Action)"/>
    /// <param name="when">The point of loop time.</param>
    /// <param name="callback">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <param name="state">What it is called with: spares a closure.</param>
    public TimerHandle CallAt(TimeSpan when, Action<object?> callback, object? state)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return LoopTimer.StartAt(_core, when, callback, state);
    }

    /// <summary>Runs an async function on the loop, from any thread. (asyncio: <c>run_coroutine_threadsafe</c>.)</summary>
    /// <remarks>
    /// What the function has written is handed to the kernel before its caller hears that it is done. A library that is called often from other threads lets
    /// calls share the way in: see the guide.
    /// </remarks>
    /// <param name="function">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <returns>Completes with the function's task; cancelled where the loop ends first.</returns>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task InvokeAsync(Func<Task> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return InvokeAsync(static function => function(), function);
    }

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    public Task<T> InvokeAsync<T>(Func<Task<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return InvokeAsync(static function => function(), function);
    }

    /// <inheritdoc cref="InvokeAsync(Func{Task})"/>
    /// <typeparam name="TState">Of whatever the function needs; a tuple carries several things.</typeparam>
    /// <param name="function">Called once on the loop's thread, in the caller's ExecutionContext.</param>
    /// <param name="state">What it is called with: spares a closure.</param>
    public Task InvokeAsync<TState>(Func<TState, Task> function, TState state)
    {
        ArgumentNullException.ThrowIfNull(function);
        var invocation = new Invocation<TState>(_core, Members, function, state);
        Post(invocation);
        return invocation.Task;
    }

    /// <inheritdoc cref="InvokeAsync{TState}(Func{TState, Task}, TState)"/>
    /// <typeparam name="TState">Of whatever the function needs; a tuple carries several things.</typeparam>
    /// <typeparam name="TResult">Of the function's result.</typeparam>
    public Task<TResult> InvokeAsync<TState, TResult>(Func<TState, Task<TResult>> function, TState state)
    {
        ArgumentNullException.ThrowIfNull(function);
        var invocation = new Invocation<TState, TResult>(_core, Members, function, state);
        Post(invocation);
        return invocation.Task;
    }

    /// <summary>A task to complete by hand whose awaiters resume in a turn of their own, never inside SetResult. (asyncio: <c>create_future</c>.)</summary>
    [SuppressMessage("Performance", "CA1822", Justification = "A future is asked of its loop, as in asyncio.")]
    public TaskCompletionSource<T> CreateFuture<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc cref="CreateFuture{T}"/>
    [SuppressMessage("Performance", "CA1822", Justification = "A future is asked of its loop, as in asyncio.")]
    public TaskCompletionSource CreateFuture() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Tells the exception handler of something; for libraries that catch what callbacks throw.</summary>
    /// <param name="context">What went wrong.</param>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void CallExceptionHandler(ExceptionContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _core.VerifyThread();
        _core.Errors.Report(context);
    }

    private void Post(ILoopWork work)
    {
        if (!_core.TryPost(work, 0)) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
    }
}
