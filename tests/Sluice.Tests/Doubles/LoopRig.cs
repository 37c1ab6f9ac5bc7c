using System.Runtime.ExceptionServices;
using Sluice.Loop;

namespace Sluice.Tests.Doubles;

/// <summary>A loop's core over a scripted backend, run one pass at a time. Disposing of it asserts that no law of the seam was broken.</summary>
internal class LoopRig : IDisposable
{
    public LoopRig(EventLoopOptions? options = null)
    {
        options ??= new EventLoopOptions();
        Loop = new LoopCore(Backend, new EventLoopOptions
        {
            Debug = options.Debug ?? false,
            SlowCallbackDuration = options.SlowCallbackDuration,
            SpinBeforeBlocking = options.SpinBeforeBlocking,
            Logger = options.Logger ?? Log,
        });
        Loop.Errors.Handler = Reports.Add;
    }

    public ScriptedBackend Backend { get; } = new();

    public LoopCore Loop { get; }

    public ListLogger Log { get; } = new();

    /// <summary>What reached the exception handler.</summary>
    public List<ExceptionContext> Reports { get; } = [];

    /// <summary>Callbacks and orders, in one sequence.</summary>
    public List<string> Trace { get; } = [];

    /// <summary>The trace since the last call, on one line.</summary>
    public string Take()
    {
        var line = string.Join(", ", Trace);
        Trace.Clear();
        return line;
    }

    /// <summary>Runs passes that do not wait.</summary>
    public void Pass(int count = 1)
    {
        using var running = Loop.Enter();
        for (; count > 0; count--) Loop.RunPass(TimeSpan.Zero);
    }

    /// <summary>Runs the action as a step of its own: as one ready item, in one pass.</summary>
    public void Step(Action action)
    {
        var step = new ActionWork(action);
        Loop.Enqueue(step, 0);
        Pass();
        step.Rethrow();
    }

    /// <summary>Queues the action as a turn.</summary>
    public void Queue(Action action) => Loop.Enqueue(new ActionWork(action), 0);

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        Assert.Empty(Backend.Violations);
    }

    private sealed class ActionWork(Action action) : ILoopWork
    {
        private ExceptionDispatchInfo? _failure;

        public void Run(int code)
        {
            try
            {
                action();
            }
            catch (Exception exception)
            {
                _failure = ExceptionDispatchInfo.Capture(exception);
            }
        }

        public void Rethrow() => _failure?.Throw();
    }
}
