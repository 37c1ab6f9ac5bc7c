namespace Sluice.Tests.Testing.Kit;

/// <summary>The protocol that the tutorial tests: answers every line with a pong, and hangs up on who is silent for a minute.</summary>
internal sealed class PingServer(EventLoop loop) : Protocol
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private ITransport? _transport;
    private TimerHandle? _hangUp;

    public override void ConnectionMade(ITransport transport)
    {
        _transport = transport;
        _hangUp = loop.CallLater(Patience, transport.Close);
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        _hangUp!.Cancel();
        _hangUp = loop.CallLater(Patience, _transport!.Close);
        foreach (var letter in data)
        {
            if (letter == '\n') _transport.Write("pong\n"u8);
        }
    }

    public override void ConnectionLost(Exception? exception) => _hangUp!.Cancel();
}
