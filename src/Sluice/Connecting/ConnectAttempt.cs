using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Connecting;

/// <summary>Hears how an attempt went; not within <see cref="ConnectAttempt.TryStart"/>, and not after its cancellation.</summary>
internal interface IAttemptSink
{
    void OnConnected(ConnectAttempt attempt, StreamChannel channel);

    /// <summary>The address cannot be connected to; the next may be.</summary>
    void OnFailed(ConnectAttempt attempt);

    /// <summary>Something went wrong that has nothing to do with the address.</summary>
    void OnBroken(Exception reason);
}

/// <summary>
/// One attempt to connect to one address, from each of the local addresses in turn until one can be bound. Owned by its race; lives on
/// the loop's thread.
/// </summary>
internal sealed class ConnectAttempt : IConnectSink
{
    private readonly LoopCore _core;
    private readonly EndPoint _remote;
    private readonly Queue<EndPoint>? _locals;
    private readonly ConnectionOptions _options;
    private readonly IAttemptSink _sink;
    private EndPoint? _local;
    private IoOperation? _operation;

    /// <param name="core">The loop.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="locals">Where from, of any family; null leaves it to the system.</param>
    /// <param name="options">How the connection behaves.</param>
    /// <param name="sink">Who hears.</param>
    public ConnectAttempt(LoopCore core, EndPoint remote, IReadOnlyList<EndPoint>? locals, ConnectionOptions options, IAttemptSink sink)
    {
        _core = core;
        _remote = remote;
        _locals = locals is null ? null : new Queue<EndPoint>(locals.Where(local => local.AddressFamily == remote.AddressFamily));
        _options = options;
        _sink = sink;
    }

    /// <summary>What went wrong so far: each local address that could not be bound, and the end.</summary>
    public List<SocketException> Failures { get; } = [];

    /// <summary>Begins.</summary>
    /// <returns>False where it fails at once: no local address fits.</returns>
    public bool TryStart()
    {
        if (_locals is null || _locals.TryDequeue(out _local))
        {
            Connect();
            return true;
        }

        Failures.Add(new SocketException(
            (int)SocketError.AddressNotAvailable, $"connect to {_remote}: no local address of its family ({_remote.AddressFamily}) was given"));
        return false;
    }

    /// <summary>Gives up: its socket is closed now.</summary>
    public void Cancel() => _operation?.Cancel();

    void IConnectSink.OnConnected(StreamChannel channel)
    {
        _operation = null;
        _sink.OnConnected(this, channel);
        _core.EndStep();
    }

    void IConnectSink.OnConnectFailed(ConnectStep step, IoError reason)
    {
        _operation = null;
        Failures.Add(reason.ToException(Describe(step)));
        if (step == ConnectStep.Bind && _locals!.TryDequeue(out _local))
        {
            try
            {
                Connect();
            }
            catch (Exception exception)
            {
                _sink.OnBroken(exception);
            }
        }
        else
        {
            _sink.OnFailed(this);
        }

        _core.EndStep();
    }

    private void Connect() => _operation = _core.Backend.Connect(_local, _remote, _options, this);

    private string Describe(ConnectStep step) => step switch
    {
        ConnectStep.Socket => $"open a socket to connect to {_remote}",
        ConnectStep.Bind => $"error while attempting to bind on address {_local}",
        _ => $"connect to {_remote}",
    };
}
