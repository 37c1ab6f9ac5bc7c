using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>The stream machine both ways, as users see it: over a socket, or over another transport.</summary>
internal abstract class DuplexTransport(
    LoopCore loop, StreamChannel channel, IProtocol<ITransport> protocol, in TransportOrigin origin, int defaultHigh = FlowControl.DefaultHigh)
    : StreamTransport(loop, channel, protocol.Instance, origin, defaultHigh), ITransport
{
    public virtual bool CanWriteEof => true;

    public void SetProtocol(IProtocol<ITransport> protocol) => Exchange(protocol?.Instance);

    void IReadTransport.SetProtocol(IProtocol<IReadTransport> protocol) => Exchange(protocol?.Instance);

    void IWriteTransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    void ITransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    private protected override void CallConnectionMade(in ProtocolBinding binding) => binding.ConnectionMade<ITransport>(this);
}
