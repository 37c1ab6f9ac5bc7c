using System.Runtime.InteropServices;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Watching;

/// <summary>
/// The token of a run: cancelled, on the loop, by the first signal that asks the process to end. Owned by <see cref="EventLoop"/>'s Run. A second signal
/// has its default effect, also where the loop is stuck in a callback: that is decided on the thread that the signal came to.
/// </summary>
internal sealed class Interruption : ILoopWork, IDisposable
{
    private static readonly PosixSignal[] Asking = [PosixSignal.SIGINT, PosixSignal.SIGTERM];

    private readonly CancellationTokenSource _source = new();
    private readonly List<Watch> _watches = [];
    private LoopCore? _core;
    private int _signals;
    private volatile bool _isDisposed;

    public CancellationToken Token => _source.Token;

    /// <summary>Listens for signals on behalf of this loop.</summary>
    public void Begin(LoopCore core)
    {
        _core = core;
        foreach (var signal in Asking) Listen(signal);
    }

    /// <summary>Whether the exception only says that main has ended because a signal cancelled its token.</summary>
    public bool Explains(OperationCanceledException exception) =>
        Volatile.Read(ref _signals) > 0 && Token.IsCancellationRequested && exception.CancellationToken == Token;

    /// <summary>The user has a handler for the signal: the token is not cancelled by it.</summary>
    public void StepAside(int number) => SetAside(number, true);

    /// <summary>The user's handler is gone.</summary>
    public void StepIn(int number) => SetAside(number, false);

    public void Cancel()
    {
        try
        {
            _source.Cancel();
        }
        catch (AggregateException exception)
        {
            _core!.Errors.Report(new ExceptionContext("Exception in a callback of the run's cancellation token") { Exception = exception });
        }
    }

    // Abandoned where the loop has ended without a turn for it: its end has cancelled the token.
    void ILoopWork.Run(int code) => Cancel();

    public void Dispose()
    {
        _isDisposed = true;
        foreach (var watch in _watches) watch.Registration.Dispose();
        _source.Dispose();
    }

    private void Listen(PosixSignal signal)
    {
        var watch = new Watch(SignalNumber.Of(signal));
        try
        {
            watch.Registration = PosixSignalRegistration.Create(signal, context => OnSignal(watch, context));
            _watches.Add(watch);
        }
        catch (Exception exception) when (exception is PlatformNotSupportedException or IOException)
        {
            // A run works without it: where the system has no such signal, nobody can send it.
        }
    }

    private void SetAside(int number, bool aside)
    {
        foreach (var watch in _watches)
        {
            if (watch.Number == number) watch.IsAside = aside;
        }
    }

    private void OnSignal(Watch watch, PosixSignalContext context)
    {
        // The runtime may still call a registration that was disposed of meanwhile: after the run the signal has its default effect.
        if (_isDisposed || watch.IsAside) return;
        if (Interlocked.Increment(ref _signals) > 1) return;
        context.Cancel = true;
        _core!.TryPost(this, 0);
    }

    /// <summary>One signal; the flag is the loop's to set and any thread's to read.</summary>
    private sealed class Watch(int number)
    {
        private volatile bool _isAside;

        public int Number => number;

        public PosixSignalRegistration Registration { get; set; } = null!;

        public bool IsAside { get => _isAside; set => _isAside = value; }
    }
}
