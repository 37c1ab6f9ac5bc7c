using System.Net.Sockets;
using Sluice.Ending;
using Sluice.Loop;
using Sluice.Tls;
using Sluice.Transports;

namespace Sluice.Connecting;

/// <summary>
/// One upgrade to TLS on its way from a plain transport to one whose handshake is done: whom to tell, and what to undo. Owned by the members of its loop; lives on
/// the loop's thread.
/// </summary>
internal sealed class TlsUpgrade(LoopServices loop, CancellationToken cancellation) : ILoopWork, IStartWaiter, ILoopMember
{
    private readonly TaskCompletionSource<ITransport> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private TlsTransport? _transport;

    public Task<ITransport> Start(ITransport lower, IProtocol<ITransport> protocol, TlsRole role, ReadOnlyMemory<byte> received)
    {
        var own = lower as StreamTransport;
        var origin = new TransportOrigin(
            own?.Membership.Set ?? loop.Members.Connections,
            ConnectionOptions.Default,
            own is null ? CallbackContext.Capture() : own.Binding.Context,
            this,
            Birth.Before,
            own?.Sending.IsPaused ?? lower.WriteBufferSize > lower.WriteBufferLimits.High);
        _transport = TlsTransport.Upgrade(loop.Core, lower, protocol, origin, role, loop.Tls, received);
        if (_source.Task.IsCompleted) return _source.Task;
        loop.Members.Add(this);
        _registration = cancellation.UnsafeRegister(static self => ((TlsUpgrade)self!).PostCancel(), this);
        return _source.Task;
    }

    public void Run(int code) => GiveUp();

    public void EndWithLoop() => GiveUp();

    void IStartWaiter.OnStarted(StreamTransport transport)
    {
        Finish();
        _source.TrySetResult(_transport!);
    }

    void IStartWaiter.OnFailed(Exception reason)
    {
        Finish();
        if (reason is OperationCanceledException) _source.TrySetCanceled(cancellation);
        else _source.TrySetException(reason);
    }

    void IStartWaiter.OnAbandoned()
    {
        Finish();
        _source.TrySetException(new SocketException((int)SocketError.ConnectionAborted, "The connection was closed during the TLS handshake."));
    }

    private void GiveUp()
    {
        if (!_source.Task.IsCompleted) _transport!.FailStart(new OperationCanceledException(cancellation), reset: true);
    }

    private void Finish()
    {
        _registration.Dispose();
        loop.Members.Remove(this);
    }

    private void PostCancel() => loop.Core.TryPost(this, 0);
}
