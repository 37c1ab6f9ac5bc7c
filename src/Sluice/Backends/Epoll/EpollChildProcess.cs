using Sluice.Backends.Linux;
using Sluice.Backends.Linux.Processes;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>A child whose pidfd is in the epoll set until the child has ended and was waited for. Owned by its transport, which is its sink.</summary>
internal sealed class EpollChildProcess : ChildProcess, IEpollTarget
{
    /// <summary>How long the end of the loop waits for the end of a child that it has killed.</summary>
    private const int LongestEnd = 5_000;

    private const int KillSignal = 9;
    private const int NotPermitted = 1;

    private readonly EpollBackend _backend;
    private readonly IExitSink _sink;
    private readonly SafeFd _descriptor;
    private readonly ulong _token;
    private bool _isOver;

    private EpollChildProcess(EpollBackend backend, int id, SafeFd descriptor, IExitSink sink)
    {
        _backend = backend;
        _sink = sink;
        _descriptor = descriptor;
        Id = id;
        _token = backend.AddTarget(this);
    }

    public override int Id { get; }

    public override StreamChannel?[] Pipes { get; } = new StreamChannel?[3];

    public override bool HasEnded => _isOver || _backend.System.TryWait(_descriptor.Number, reap: false, out var error) is not null || !error.IsNone;

    /// <exception cref="IOException">As <see cref="PosixLauncher.Start"/> says; nothing is left then, and no child.</exception>
    public static EpollChildProcess Start(EpollBackend backend, PosixLauncher launcher, SpawnRequest request, IExitSink sink)
    {
        var (id, descriptor, pipes) = launcher.Start(request);
        var child = new EpollChildProcess(backend, id, descriptor, sink);
        try
        {
            var error = backend.Control(EpollOperation.Add, descriptor.Number, EpollInterest.Readable, child._token);
            if (!error.IsNone) throw SpawnErrors.OfResources(error);
            for (var fd = 0; fd < pipes.Length; fd++)
            {
                if (pipes[fd] is not { } pipe) continue;
                pipes[fd] = null;
                child.Pipes[fd] = new EpollPipeChannel(backend, PipeDescriptor.Own(backend.System, pipe), fd == 0 ? PipeEnd.Write : PipeEnd.Read);
            }

            return child;
        }
        catch
        {
            foreach (var pipe in pipes) pipe?.Dispose();
            foreach (var channel in child.Pipes) channel?.Close(reset: true);
            child.End();
            throw;
        }
    }

    public override bool TrySignal(int number)
    {
        if (_isOver) return false;
        var error = _backend.System.SendSignal(_descriptor.Number, number);
        if (error.Errno == NotPermitted) throw new UnauthorizedAccessException($"Process {Id} runs as somebody else and takes no signals from this one.");
        return error.IsNone;
    }

    public void OnReady(EpollInterest events)
    {
        var code = _backend.System.TryWait(_descriptor.Number, reap: true, out var error);
        if (code is null && error.IsNone) return;
        Release();
        _sink.OnExited(code);
    }

    public void OnDeferred(IoError error)
    {
    }

    public IoError Join(int epoll) => _backend.System.EpollControl(epoll, EpollOperation.Add, _descriptor.Number, EpollInterest.Readable, _token);

    /// <summary>The loop has ended: no child outlives it, and none stays a zombie.</summary>
    public void Abandon() => End();

    private void End()
    {
        if (_isOver) return;
        if (_backend.System.SendSignal(_descriptor.Number, KillSignal).IsNone) _backend.System.AwaitEnd(_descriptor.Number, LongestEnd);
        _backend.System.TryWait(_descriptor.Number, reap: true, out _);
        Release();
    }

    // A child that another thread starts holds all our files until its exec, the pidfd too: the set would go on reporting it.
    private void Release()
    {
        _isOver = true;
        _backend.Control(EpollOperation.Remove, _descriptor.Number, EpollInterest.None, _token);
        _backend.RemoveTarget(_token);
        _descriptor.Dispose();
    }
}
