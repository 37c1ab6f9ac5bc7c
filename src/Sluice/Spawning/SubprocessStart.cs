using Sluice.Backends;
using Sluice.Ending;
using Sluice.Loop;
using Sluice.Subprocesses;
using Sluice.Transports;

namespace Sluice.Spawning;

/// <summary>
/// One start of a child, from the call to its ConnectionMade. Owned by the members of its loop; lives on the loop's thread after <see cref="Start"/>.
/// </summary>
internal sealed class SubprocessStart<TProtocol> : ILoopWork, ISubprocessWaiter, ILoopMember
    where TProtocol : SubprocessProtocol
{
    /// <summary>How long a cancelled start waits for the end of the child that it has killed.</summary>
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);

    private const int Begin = 0;
    private const int Cancel = 1;

    private readonly LoopCore _core;
    private readonly LoopMembers _members;
    private readonly Func<TProtocol> _factory;
    private readonly SpawnRequest _request;
    private readonly int _maxWriteBufferSize;
    private readonly CancellationToken _cancellation;
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly TaskCompletionSource<(ISubprocessTransport, TProtocol)> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private SubprocessTransport? _transport;
    private TProtocol? _protocol;
    private TimerHandle? _patience;

    public SubprocessStart(LoopCore core, LoopMembers members, Func<TProtocol> factory, SpawnRequest request, SubprocessOptions options, CancellationToken cancellation)
    {
        _core = core;
        _members = members;
        _factory = factory;
        _request = request;
        _maxWriteBufferSize = options.MaxWriteBufferSize;
        _cancellation = cancellation;
    }

    /// <summary>Begins, here where this is the loop's thread, else there.</summary>
    public Task<(ISubprocessTransport Transport, TProtocol Protocol)> Start()
    {
        if (_core.IsOnThread) Run(Begin);
        else if (!_core.TryPost(this, Begin)) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
        return _source.Task;
    }

    public void Run(int code)
    {
        if (_source.Task.IsCompleted) return;
        if (code == Cancel) GiveUp();
        else BeginStart();
    }

    public void Abandon() => _source.TrySetCanceled(_cancellation);

    public void EndWithLoop()
    {
        _transport?.GiveUp();
        OnGivenUp();
    }

    public void OnStarted()
    {
        Finish();
        _source.TrySetResult((_transport!, _protocol!));
    }

    public void OnGivenUp()
    {
        Finish();
        _source.TrySetCanceled(_cancellation);
    }

    private void BeginStart()
    {
        if (_cancellation.IsCancellationRequested)
        {
            _source.TrySetCanceled(_cancellation);
            return;
        }

        try
        {
            // Before the child: what its factory throws starts nothing.
            _protocol = ProtocolFactory.Make<ISubprocessTransport, TProtocol>(_factory, _context);
            var origin = new SubprocessOrigin(_members.Children, (_request.Arguments[0], _request.Arguments), _maxWriteBufferSize, _context, this);
            _transport = new SubprocessTransport(_core, _request, _protocol, origin);
        }
        catch (Exception exception)
        {
            _source.TrySetException(exception);
            return;
        }

        _members.Add(this);
        _registration = _cancellation.UnsafeRegister(static self => ((SubprocessStart<TProtocol>)self!).AskToCancel(), this);
    }

    /// <summary>On the loop's thread at once: a turn would come behind that of ConnectionMade.</summary>
    private void AskToCancel()
    {
        if (_core.IsOnThread) Run(Cancel);
        else _core.TryPost(this, Cancel);
    }

    /// <summary>The caller hears when the child is no more, or when that takes too long.</summary>
    private void GiveUp()
    {
        if (_patience is not null) return;
        _patience = LoopTimer.Start(_core, LongestEnd, static start => ((SubprocessStart<TProtocol>)start!).OnGivenUp(), this);
        _transport!.GiveUp();
    }

    private void Finish()
    {
        _registration.Dispose();
        _patience?.Cancel();
        _members.Remove(this);
    }
}
