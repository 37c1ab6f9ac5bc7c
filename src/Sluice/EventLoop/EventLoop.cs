using Sluice.Backends;
using Sluice.Connecting;
using Sluice.Ending;
using Sluice.Loop;
using Sluice.Names;
using Sluice.Primitives;
using Sluice.Tls;
using Sluice.Watching;

namespace Sluice;

/// <summary>
/// A single-threaded event loop: it waits for I/O, timers and other threads, and calls protocols and callbacks one at a time.
/// (asyncio: <c>loop</c>.)
/// </summary>
/// <remarks>
/// <para>Most programs need one line: <c>EventLoop.Run(async loop => …)</c> makes this thread the loop until the function is done.
/// <see cref="Start"/> gives the loop a thread of its own instead.</para>
/// <para><c>await</c> stays on the loop's thread. Everything that acts on a loop belongs to that thread; callable from others are
/// <see cref="CallSoonThreadSafe(Action)"/>, <see cref="InvokeAsync(Func{Task})"/>, the methods that end in <c>Async</c>, <see cref="Stop"/>,
/// <see cref="Dispose"/>, <see cref="TimeProvider"/> and the properties.</para>
/// </remarks>
public sealed partial class EventLoop : IAsyncDisposable, IDisposable
{
    [ThreadStatic]
    private static EventLoop? _current;

    private readonly LoopCore _core;
    private readonly LoopEnding _ending;
    private readonly EndArbiter _arbiter = new();

    /// <summary>
    /// Makes a loop that does not run yet. Drive it with <see cref="RunForever"/> or <see cref="RunUntilComplete(Func{Task})"/>, which can be
    /// called again and again, and dispose of it at the end.
    /// </summary>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    /// <exception cref="PlatformNotSupportedException">The backend does not exist on this system.</exception>
    public EventLoop(EventLoopOptions? options = null)
        : this(BackendSelector.Create(options ??= new EventLoopOptions()), options)
    {
    }

    internal EventLoop(IoBackend backend, EventLoopOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SpinBeforeBlocking, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SpinBeforeBlocking, TimeSpan.FromSeconds(1));
        if (options.MaxLingeringConnections is { } most)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most, nameof(options));
            backend.MaxLingering = most;
        }

        _core = new LoopCore(backend, options);
        Services = new LoopServices(_core, Members, new LoopNames(_core, options.Resolver), new TlsWorkspace());
        _ending = new LoopEnding(_core, Members, options.ShutdownTimeout);
        _signals = new SignalHandlers(_core, Members);
        TimeProvider = new LoopTimeProvider(_core);
    }

    /// <summary>The loop that runs on this thread. (asyncio: <c>get_running_loop</c>.)</summary>
    /// <exception cref="InvalidOperationException">No loop runs on this thread.</exception>
    public static EventLoop Current =>
        TryGetCurrent() ?? throw new InvalidOperationException("No event loop runs on this thread. Did an await above use ConfigureAwait(false)?");

    /// <summary>
    /// The most memory that all loops of the process may hold for bytes that wait to be sent, or to be read by a protocol that has paused. While more is held, a connection with more than 20 KiB
    /// waiting that its peer does not take is aborted with <see cref="WriteBufferLimitException"/>, and a datagram that would wait beyond them is dropped: those who take what they are sent go on. It is
    /// counted in steps of 256 KiB by each loop. May be set from any thread. Default: a quarter of the memory that the runtime may use, and at least 64 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public static long MaxTotalWriteBufferSize
    {
        get => WriteBudget.Process.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            WriteBudget.Process.Limit = value;
        }
    }

    /// <summary>How much all loops hold now, in the steps in which it is counted. From any thread.</summary>
    public static long TotalWriteBufferSize => WriteBudget.Process.Used;

    /// <summary>True while a pass of the loop can run: inside Run, RunForever or RunUntilComplete.</summary>
    public bool IsRunning => _core.IsRunning;

    /// <summary>True once the loop has ended for good.</summary>
    public bool IsClosed => _core.IsClosed;

    /// <summary>
    /// How many closed connections were cut off over what their peers still sent, because more than <see cref="EventLoopOptions.MaxLingeringConnections"/> lingered or an accept was in want of
    /// descriptors. The last of what was written to them may be lost; the log warns of it, at most once a second. Callable on any thread.
    /// </summary>
    public long CutConnectionCount => _core.Backend.CutConnections;

    internal LoopCore Core => _core;

    /// <summary>What lives on this loop and ends with it.</summary>
    internal LoopMembers Members { get; } = new();

    /// <summary>What the ways to a transport need of it.</summary>
    internal LoopServices Services { get; }

    /// <summary>The loop that runs on this thread, or null.</summary>
    public static EventLoop? TryGetCurrent() => LoopCore.Current is null ? null : _current;

    /// <summary>Runs until <see cref="Stop"/> is called. What is queued then stays for the next run.</summary>
    /// <exception cref="InvalidOperationException">It runs already, or another loop runs on this thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public void RunForever() => Drive(null);

    /// <summary>Calls the function on the loop and runs until its task is done; its exception comes out unchanged.</summary>
    /// <param name="main">Called in the first pass, behind what was queued before.</param>
    /// <exception cref="InvalidOperationException">It runs already, another loop runs on this thread, or the loop was stopped first.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public void RunUntilComplete(Func<Task> main)
    {
        ArgumentNullException.ThrowIfNull(main);
        RunUntilComplete(async () =>
        {
            await main();
            return true;
        });
    }

    /// <inheritdoc cref="RunUntilComplete(Func{Task})"/>
    /// <returns>The result of the task.</returns>
    public T RunUntilComplete<T>(Func<Task<T>> main)
    {
        ArgumentNullException.ThrowIfNull(main);
        var invocation = new Invocation<Func<Task<T>>, T>(_core, Members, static main => main(), main);
        Drive(invocation.Task, invocation);
        if (!invocation.Task.IsCompleted) throw new InvalidOperationException("The event loop was stopped before the task was done.");
        return invocation.Task.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Ends the run under way after its pass, or lets the next run end after one pass. Everything stays in place: the loop can run again.
    /// Callable from any thread; harmless once the loop has ended.
    /// </summary>
    public void Stop() => _core.Stop();

    /// <summary>
    /// Ends the loop in order, without waiting where another thread runs it: servers close, open connections are aborted, those that are closing may flush
    /// for a while (<see cref="EventLoopOptions.ShutdownTimeout"/>), timers are cancelled, and what is ready still runs. A second call does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called on the loop's own thread while it runs.</exception>
    public void Dispose()
    {
        if (_core.IsOnThread) throw new InvalidOperationException("Cannot dispose of a loop on its own thread while it runs; use Stop.");
        if (_arbiter.AskForEnd(out var isDriven)) End();
        else if (isDriven) _core.Stop();
    }

    /// <summary>As <see cref="Dispose"/>, and completes when the loop has ended.</summary>
    /// <exception cref="InvalidOperationException">Called on the loop's own thread while it runs.</exception>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _arbiter.Ended.ConfigureAwait(false);
    }

    /// <summary>What the loop is doing, for logs.</summary>
    public override string ToString() => $"<EventLoop {(IsClosed ? "closed" : IsRunning ? "running" : "stopped")}>";

    internal RunScope Enter(bool toEnd = false) => new(this, toEnd);

    private void Drive(Task? until, ILoopWork? first = null)
    {
        _arbiter.Begin();
        try
        {
            using (Enter())
            {
                if (first is not null) _core.Enqueue(first, 0);
                _core.RunPasses(until);
            }
        }
        finally
        {
            if (_arbiter.Finish()) End();
        }
    }

    private void End()
    {
        try
        {
            using (Enter(toEnd: true)) _ending.Run();
        }
        finally
        {
            _core.Close();
            _arbiter.SetEnded();
        }
    }

    /// <summary>The span in which this thread is the loop's; <see cref="Current"/> answers in it.</summary>
    internal readonly ref struct RunScope
    {
        private readonly LoopCore.RunScope _scope;
        private readonly EventLoop? _previous;

        public RunScope(EventLoop loop, bool toEnd)
        {
            _scope = loop._core.Enter(toEnd);
            _previous = _current;
            _current = loop;
        }

        public void Dispose()
        {
            _current = _previous;
            _scope.Dispose();
        }
    }
}
