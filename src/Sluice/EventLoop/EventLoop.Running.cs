using System.Runtime.InteropServices;
using Sluice.Loop;

namespace Sluice;

/// <content>Running a main function, and loops with a thread of their own.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Makes a loop, runs the function on it on this thread, and ends the loop in order whatever happened. (asyncio: <c>asyncio.run</c>.)
    /// </summary>
    /// <param name="main">The program.</param>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    /// <exception cref="InvalidOperationException">A loop runs on this thread already.</exception>
    public static void Run(Func<EventLoop, Task> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        Run((loop, _) => main(loop), options);
    }

    /// <inheritdoc cref="Run(Func{EventLoop, Task}, EventLoopOptions?)"/>
    /// <param name="main">
    /// The program. Its token is cancelled by the first SIGINT (Ctrl+C) or SIGTERM, on the loop's thread; a second signal has its default
    /// effect and ends the process. It is also cancelled when the loop begins to end.
    /// </param>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    public static void Run(Func<EventLoop, CancellationToken, Task> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        Run(
            async (loop, token) =>
            {
                await main(loop, token);
                return true;
            },
            options);
    }

    /// <inheritdoc cref="Run(Func{EventLoop, Task}, EventLoopOptions?)"/>
    /// <returns>The result of the program.</returns>
    public static T Run<T>(Func<EventLoop, Task<T>> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return Run((loop, _) => main(loop), options);
    }

    /// <inheritdoc cref="Run(Func{EventLoop, CancellationToken, Task}, EventLoopOptions?)"/>
    /// <returns>The result of the program.</returns>
    public static T Run<T>(Func<EventLoop, CancellationToken, Task<T>> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        if (LoopCore.Current is not null) throw new InvalidOperationException("EventLoop.Run cannot be called from a running event loop.");
        using var interruption = new Interruption();
        using var loop = new EventLoop(options);
        interruption.Attach(loop);
        return loop.RunUntilComplete(() => main(loop, interruption.Token));
    }

    /// <summary>
    /// Starts a loop on a background thread of its own, for programs whose Main is elsewhere. It runs until it is disposed of;
    /// <see cref="Stop"/> does not end it.
    /// </summary>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    public static EventLoop Start(EventLoopOptions? options = null)
    {
        var loop = new EventLoop(options);
        loop._tenure.Begin();
        loop._core.HasOwnThread = true;
        var thread = new Thread(static state => ((EventLoop)state!).RunUntilDisposed()) { IsBackground = true, Name = "Sluice loop" };
        thread.UnsafeStart(loop);
        return loop;
    }

    private void RunUntilDisposed()
    {
        using (Enter())
        {
            do
            {
                _core.RunPasses(null);
            }
            while (!_tenure.IsEndAsked);
        }

        if (_tenure.Finish()) End();
    }

    /// <summary>The token of a run: cancelled, on the loop, by the first signal that asks the process to end.</summary>
    private sealed class Interruption : IDisposable
    {
        private readonly CancellationTokenSource _source = new();
        private readonly List<PosixSignalRegistration> _registrations = [];
        private EventLoop? _loop;
        private int _signals;

        public CancellationToken Token => _source.Token;

        public void Attach(EventLoop loop)
        {
            _loop = loop;
            loop._ending.Begun = Cancel;
            Watch(PosixSignal.SIGINT);
            Watch(PosixSignal.SIGTERM);
        }

        private void Cancel()
        {
            try
            {
                _source.Cancel();
            }
            catch (AggregateException exception)
            {
                _loop!.CallExceptionHandler(new ExceptionContext("Exception in a callback of the run's cancellation token") { Exception = exception });
            }
        }

        public void Dispose()
        {
            foreach (var registration in _registrations) registration.Dispose();
            _source.Dispose();
        }

        private void Watch(PosixSignal signal)
        {
            try
            {
                _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
            }
            catch (Exception exception) when (exception is PlatformNotSupportedException or IOException)
            {
                // A run works without it: where the system has no such signal, nobody can send it.
            }
        }

        private void OnSignal(PosixSignalContext context)
        {
            if (Interlocked.Increment(ref _signals) > 1) return;
            context.Cancel = true;
            _loop!._core.TryPost(static self => ((Interruption)self!).Cancel(), this);
        }
    }
}
