using System.Net.Security;

namespace Sluice.Tests.Tls;

/// <summary>The numbers of TLS that users may rely on.</summary>
public sealed class TlsOptionsTests
{
    [Fact]
    [Case("TLS-012")]
    public void The_deadlines_have_defaults()
    {
        var server = new TlsServerOptions(new SslServerAuthenticationOptions());

        Assert.Equal(TimeSpan.FromSeconds(60), new TlsClientOptions().HandshakeTimeout);
        Assert.Equal(TimeSpan.FromSeconds(10), server.HandshakeTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), server.ShutdownTimeout);
        Assert.Equal(TimeSpan.FromSeconds(30), new TlsClientOptions().ShutdownTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), TlsOptions.PeerShutdownTimeout);
        Assert.Equal(256, server.MaxHandshakes);
    }
}
