using System.Net.Sockets;
using System.Security.Authentication;
using Sluice.Sweep.Streams;

namespace Sluice.Sweep.Tls;

/// <summary>
/// The plain beginning of a connection that becomes TLS: the client asks, the server answers, and each upgrades when it has all of the other's plain bytes. Owned by
/// its end, which does nothing else meanwhile.
/// </summary>
internal sealed class Upgrade(End end)
{
    private const int RequestSize = 37;
    private const int AnswerSize = 21;

    private bool _hasBegun;

    /// <summary>The connection is TLS now, or never will be.</summary>
    public bool IsOver { get; private set; }

    /// <summary>How many bytes this end sends before TLS.</summary>
    public int PlainSize => end.IsServer ? AnswerSize : RequestSize;

    public void OnMade(ITransport transport)
    {
        if (!end.IsServer) Say(transport);
    }

    public void OnData(ITransport transport)
    {
        if (_hasBegun || end.Model.Received < (end.IsServer ? RequestSize : AnswerSize) || transport.IsClosing) return;
        _hasBegun = true;
        if (end.IsServer) Say(transport);
        end.Note(Happening.Upgrade, 0);
        end.World.Turmoil.Await($"the upgrade of end {end.Number}", end.Host.Loop, RunAsync(transport));
    }

    private void Say(ITransport transport)
    {
        var data = end.Model.NextBytes(PlainSize);
        end.Model.Accept(PlainSize);
        transport.Write(data.Span);
    }

    private async Task RunAsync(ITransport transport)
    {
        var loop = end.Host.Loop;
        var plan = end.World.Plan.Tls!;
        try
        {
            // In the callback that brought the last byte, or a turn later.
            if (end.Dice.Chance(0.5)) await Task.Yield();
            if (!end.IsLive || transport.Protocol is not IProtocol<ITransport> protocol) return;
            var upgraded = end.IsServer
                ? await loop.StartTlsAsync(transport, protocol, plan.Server)
                : await loop.StartTlsAsync(transport, protocol, plan.Client);
            IsOver = true;
            if (end.IsLive) end.CarryOn(upgraded);
        }
        catch (Exception exception) when (exception is SocketException or AuthenticationException or IOException or InvalidOperationException or OperationCanceledException)
        {
            // The protocol hears of it in ConnectionLost.
        }
    }
}
