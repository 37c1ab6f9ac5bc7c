using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>A stream transport over a TCP or Unix socket: adds what sockets know about themselves.</summary>
internal sealed class SocketTransport(LoopCore loop, StreamChannel channel, IProtocol<ITransport> protocol, in TransportOrigin origin)
    : StreamTransport(loop, channel, protocol.Instance, origin), ITransport
{
    /// <summary>
    /// Makes the protocol and its transport for a fresh connection. Owns the channel: whatever goes wrong, it is closed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static SocketTransport Create<TProtocol>(LoopCore loop, StreamChannel channel, Func<TProtocol> factory, in TransportOrigin origin)
        where TProtocol : class, IProtocol<ITransport>
    {
        try
        {
            var protocol = ProtocolFactory.Make<ITransport, TProtocol>(factory, origin.Context);
            return new SocketTransport(loop, channel, protocol, origin);
        }
        catch
        {
            channel.Close(reset: false);
            throw;
        }
    }

    public bool CanWriteEof => true;

    public void SetProtocol(IProtocol<ITransport> protocol) => Exchange(protocol?.Instance);

    void IReadTransport.SetProtocol(IProtocol<IReadTransport> protocol) => Exchange(protocol?.Instance);

    void IWriteTransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    void ITransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    private protected override void CallConnectionMade(in ProtocolBinding binding) => binding.ConnectionMade<ITransport>(this);

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
