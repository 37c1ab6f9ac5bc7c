using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Serving;

/// <summary>What a listening socket knows of its server.</summary>
internal interface IListenerOwner
{
    LoopCore Core { get; }

    /// <summary>A connection has come in at this listener.</summary>
    void Accept(StreamChannel channel, ServerListener listener);

    /// <summary>All that waited at this listener has come in, and it is closed.</summary>
    void OnFinished(ServerListener listener);
}

/// <summary>One of the sockets that a server listens on, and the sink that hears of its connections. Owned by its server.</summary>
internal sealed class ServerListener : IListenSink
{
    private readonly IListenerOwner _owner;
    private readonly ListenChannel _channel;

    /// <param name="owner">Whose it is.</param>
    /// <param name="open">Binds or takes over the socket; nothing stays open where that fails.</param>
    public ServerListener(IListenerOwner owner, Func<IListenSink, ListenChannel> open)
    {
        _owner = owner;
        _channel = open(this);
        if (_channel.Warning is { } warning) owner.Core.Errors.LogWarning(warning, warning);
    }

    public EndPoint LocalName => _channel.LocalName;

    public TransportSocket? Socket => _channel.Socket;

    /// <exception cref="SocketException">The kernel refuses to listen.</exception>
    public void StartAccepting()
    {
        try
        {
            _channel.StartAccepting();
        }
        catch (SocketException exception) when (LocalName is IPEndPoint)
        {
            // Linux lets two sockets have an address as long as none listens: the one that comes second hears of it only here.
            throw ServerAddresses.Refused(LocalName, exception);
        }
    }

    /// <summary>Takes what waits already, then closes. False where it is closed now.</summary>
    public bool Finish() => _channel.Finish();

    public void Close() => _channel.Close();

    void IListenSink.OnAccepted(StreamChannel channel)
    {
        _owner.Accept(channel, this);
        _owner.Core.EndStep();
    }

    void IListenSink.OnAcceptFailed(IoError reason)
    {
        Report(reason.IsOutOfResources ? "Accept is out of system resources" : "Accept failed", reason.ToException());
        _owner.Core.EndStep();
    }

    void IListenSink.OnFinished() => _owner.OnFinished(this);

    /// <summary>Tells the exception handler, with the address of this very socket.</summary>
    public void Report(string message, Exception? exception = null) =>
        _owner.Core.Errors.Report(new ExceptionContext(message) { Exception = exception, EndPoint = LocalName });
}
