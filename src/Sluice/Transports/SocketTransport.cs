using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>A stream transport over a TCP or Unix socket: adds what sockets know about themselves, and files.</summary>
internal sealed class SocketTransport(LoopCore loop, StreamChannel channel, IProtocol<ITransport> protocol, in TransportOrigin origin)
    : StreamTransport(loop, channel, protocol.Instance, origin), ITransport, ISendsFiles
{
    /// <summary>
    /// Makes the protocol and its transport for a fresh connection. Owns the channel: whatever goes wrong, it is closed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static SocketTransport Create<TProtocol>(LoopCore loop, StreamChannel channel, Func<TProtocol> factory, in TransportOrigin origin)
        where TProtocol : class, IProtocol<ITransport> =>
        new(loop, channel, MakeProtocol(channel, factory, origin.Context), origin);

    /// <summary>Makes the protocol for a fresh connection, in its context. Where that fails, the channel is closed.</summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static TProtocol MakeProtocol<TProtocol>(StreamChannel channel, Func<TProtocol> factory, ExecutionContext? context)
        where TProtocol : class, IProtocol<ITransport>
    {
        try
        {
            return ProtocolFactory.Make<ITransport, TProtocol>(factory, context);
        }
        catch
        {
            channel.Close(reset: false);
            throw;
        }
    }

    void ISendsFiles.StartFile(FileSend file, CancellationToken cancellation)
    {
        EnterCall();
        file.Start(this, cancellation);
    }

    internal override void CallConnectionMade() => Binding.ConnectionMade<ITransport>(this);

    private protected override object? FindExtraInfo(string name) => name switch
    {
        "socket" => Channel.Socket,
        "sockname" => Channel.LocalName,
        "peername" => Channel.PeerName,
        "peercred" => Channel.PeerCredentials,
        _ => null,
    };

    private protected override string DescribeEnds() => $"{Channel.LocalName} <-> {Channel.PeerName}";
}
