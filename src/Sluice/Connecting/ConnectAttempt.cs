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
/// <remarks>
/// A Unix listener with a full backlog refuses at once (EAGAIN) where one of TCP would let the client wait, and nothing tells when it has room. So the attempt asks again, after waits that grow,
/// until it is given up or for as long as Linux lets TCP try.
/// </remarks>
internal sealed class ConnectAttempt : IConnectSink, IHeapTimer, ILoopWork
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(64);

    /// <summary>Six retransmissions of a SYN, as net.ipv4.tcp_syn_retries has it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(127);

    private readonly LoopCore _core;
    private readonly EndPoint _remote;
    private readonly Queue<EndPoint>? _locals;
    private readonly ConnectionOptions _options;
    private readonly IAttemptSink _sink;
    private EndPoint? _local;
    private IoOperation? _operation;
    private TimeSpan _wait = FirstWait;
    private TimeSpan _waited;
    private long _due;

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

    long IHeapTimer.Due => _due;

    int IHeapTimer.HeapIndex { get; set; } = -1;

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
    public void Cancel()
    {
        _core.RemoveTimer(this);
        _operation?.Cancel();
    }

    /// <summary>The wait for room in the backlog is over.</summary>
    void ILoopWork.Run(int code) => ConnectAgain();

    void IConnectSink.OnConnected(StreamChannel channel)
    {
        _operation = null;
        _sink.OnConnected(this, channel);
        _core.EndStep();
    }

    void IConnectSink.OnConnectFailed(ConnectStep step, IoError reason)
    {
        _operation = null;
        if (step == ConnectStep.Connect && reason == IoError.WouldBlock && TryWait())
        {
            _core.EndStep();
            return;
        }

        Failures.Add((reason == IoError.WouldBlock ? IoError.TimedOut : reason).ToException(Describe(step)));
        if (step == ConnectStep.Bind && _locals!.TryDequeue(out _local))
        {
            ConnectAgain();
        }
        else
        {
            _sink.OnFailed(this);
        }

        _core.EndStep();
    }

    private bool TryWait()
    {
        if (_waited >= Patience) return false;
        _due = LoopTimes.After(_core.Time, _wait).Ticks;
        _core.AddTimer(this);
        _waited += _wait;
        if (_wait < LongestWait) _wait *= 2;
        return true;
    }

    private void ConnectAgain()
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

    private void Connect() => _operation = _core.Backend.Connect(_local, _remote, _options, this);

    private string Describe(ConnectStep step) => step switch
    {
        ConnectStep.Socket => $"open a socket to connect to {_remote}",
        ConnectStep.Bind => $"error while attempting to bind on address {_local}",
        _ => $"connect to {_remote}",
    };
}
