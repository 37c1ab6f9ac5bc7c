using Sluice.Ending;
using Sluice.Loop;

namespace Sluice.Connecting;

/// <summary>
/// A transport on its way from what a caller named to the end of its ConnectionMade: what every such way has in common, whatever is opened. Owned by the loop's
/// members; lives on the loop's thread after <see cref="Start"/>.
/// </summary>
/// <typeparam name="TTransport">How the caller gets the transport.</typeparam>
/// <typeparam name="TProtocol">The protocol.</typeparam>
internal abstract class Opening<TTransport, TProtocol>(LoopServices loop, CancellationToken cancellation) : ILoopWork, ILoopMember
{
    private const int Begin = 0;
    private const int Cancel = 1;

    private protected readonly LoopServices _loop = loop;
    private protected readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly TaskCompletionSource<(TTransport, TProtocol)> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;

    private protected LoopCore Core => _loop.Core;

    /// <summary>Begins, here where this is the loop's thread, else there.</summary>
    public Task<(TTransport Transport, TProtocol Protocol)> Start()
    {
        if (Core.IsOnThread) Run(Begin);
        else if (!Core.TryPost(this, Begin)) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
        return _source.Task;
    }

    public void Run(int code)
    {
        if (_source.Task.IsCompleted) return;
        if (code == Cancel)
        {
            EndWithLoop();
        }
        else if (cancellation.IsCancellationRequested)
        {
            Abandon();
        }
        else
        {
            _loop.Members.Add(this);
            _registration = cancellation.UnsafeRegister(static self => ((Opening<TTransport, TProtocol>)self!).PostCancel(), this);
            Open();
        }
    }

    /// <summary>It will never begin.</summary>
    public void Abandon()
    {
        DropGiven();
        _source.TrySetCanceled(cancellation);
    }

    /// <summary>The loop ends, or it was cancelled: nothing stays open, and no callback comes.</summary>
    public void EndWithLoop()
    {
        GiveUp();
        Finish();
        _source.TrySetCanceled(cancellation);
    }

    /// <summary>Begins to open.</summary>
    private protected abstract void Open();

    /// <summary>Closes what the caller gave, of which nothing was made.</summary>
    private protected abstract void DropGiven();

    /// <summary>Ends what is under way.</summary>
    private protected abstract void GiveUp();

    private protected void Succeed(TTransport transport, TProtocol protocol)
    {
        Finish();
        _source.TrySetResult((transport, protocol));
    }

    private protected void Fail(Exception exception)
    {
        Finish();
        _source.TrySetException(exception);
    }

    private void Finish()
    {
        _registration.Dispose();
        _loop.Members.Remove(this);
    }

    private void PostCancel() => Core.TryPost(this, Cancel);
}
