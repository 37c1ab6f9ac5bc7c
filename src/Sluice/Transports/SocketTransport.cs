using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>A stream transport over a TCP or Unix socket: adds what sockets know about themselves.</summary>
internal sealed class SocketTransport(LoopCore loop, StreamChannel channel, IProtocol<ITransport> protocol, in TransportOrigin origin)
    : StreamTransport(loop, channel, protocol, origin)
{
    /// <summary>
    /// Makes the protocol and its transport for a fresh connection. Owns the channel: whatever goes wrong, it is closed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static SocketTransport Create<TProtocol>(LoopCore loop, StreamChannel channel, Func<TProtocol> factory, in TransportOrigin origin)
        where TProtocol : class, IProtocol<ITransport>
    {
        return new SocketTransport(loop, channel, MakeProtocol(channel, factory, origin.Context), origin);
    }

    /// <summary>Makes the protocol for a fresh connection, in its context. Where that fails, the channel is closed.</summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static TProtocol MakeProtocol<TProtocol>(StreamChannel channel, Func<TProtocol> factory, ExecutionContext? context)
        where TProtocol : class, IProtocol<ITransport>
    {
        try
        {
            CallbackContext.Enter(context);
            var protocol = factory() ?? throw new InvalidOperationException("The protocol factory returned null.");
            if (protocol.Instance.Serves is null) return protocol;
            throw new InvalidOperationException(
                $"The protocol factory returned a {protocol.GetType()} that already serves another transport: a protocol and its transport are one to one.");
        }
        catch
        {
            channel.Close(reset: false);
            throw;
        }
    }

    protected override object? FindExtraInfo(string name) => name switch
    {
        "socket" => Channel.Socket,
        "sockname" => Channel.LocalName,
        "peername" => Channel.PeerName,
        "peercred" => Channel.PeerCredentials,
        _ => null,
    };

    protected override string DescribeEnds() => $"{Channel.LocalName} <-> {Channel.PeerName}";
}
