using Sluice.Backends;

namespace Sluice.Loop;

/// <summary>Wakes a backend when the task that a run waits for is done, whichever thread completes it. Lives as long as the run.</summary>
internal sealed class WakeWhenDone : IDisposable
{
    private IoBackend? _backend;

    public WakeWhenDone(IoBackend backend, Task task)
    {
        _backend = backend;
        task.ContinueWith(
            static (_, self) => ((WakeWhenDone)self!)._backend?.Wake(),
            this,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    public void Dispose() => _backend = null;
}
