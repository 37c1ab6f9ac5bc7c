namespace Sluice.Tests.Testing.Kit;

/// <summary>The mistake that the tutorial shows: it takes what arrives for a whole line.</summary>
internal sealed class HastyPingServer : Protocol
{
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("ping\n"u8)) _transport!.Write("pong\n"u8);
    }
}
