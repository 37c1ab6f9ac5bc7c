using System.Net.Sockets;
using System.Security.Authentication;
using Sluice.Loop;
using Sluice.Tls;
using Sluice.Transports;

namespace Sluice.Serving;

/// <summary>The TLS handshakes of a server that are under way: how many there are, and what comes of those that fail. Owned by the server.</summary>
internal sealed class ServerHandshakes(LoopCore loop, TlsServerRole role, int most) : IStartWaiter
{
    public TlsServerRole Role => role;

    public int Count { get; set; }

    public bool IsFull => Count >= most;

    void IStartWaiter.OnStarted(StreamTransport transport) => Count--;

    /// <summary>Peers that do not speak TLS, or refuse our certificate, are reported in debug mode only; a callback of the user's that throws is reported always.</summary>
    void IStartWaiter.OnFailed(Exception reason)
    {
        Count--;
        var isOfTheWorld = reason is AuthenticationException or SocketException or IOException;
        if (!isOfTheWorld || loop.Debug)
        {
            loop.Errors.Report(new ExceptionContext("Error on transport creation for incoming connection: the TLS handshake failed") { Exception = reason });
        }
    }

    void IStartWaiter.OnAbandoned() => Count--;
}
