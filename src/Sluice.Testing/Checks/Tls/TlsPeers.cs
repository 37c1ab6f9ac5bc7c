using System.Net.Security;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Tls;

/// <summary>Connections with TLS on both ends or on one, and upgraded ones. Shared by the checks of TLS.</summary>
internal static class TlsPeers
{
    public static ConnectionOptions ClientOptions { get; } = new() { Tls = TestTls.Default.Client };

    public static ServerOptions ServerOptions { get; } = new() { Tls = TestTls.Default.Server };

    public static Task<StreamPair> ConnectAsync(
        KernelStage stage,
        Func<IProtocol<ITransport>>? client = null,
        Func<IProtocol<ITransport>>? server = null,
        TlsClientOptions? clientTls = null,
        TlsServerOptions? serverTls = null) =>
        stage.ConnectAsync(
            client, server, new ConnectionOptions { Tls = clientTls ?? TestTls.Default.Client }, new ServerOptions { Tls = serverTls ?? TestTls.Default.Server });

    /// <summary>The two ends of a pair: the first becomes a client that is still to be connected, the second a plain one.</summary>
    public static async Task<(Task<(ITransport Transport, RecordingProtocol Protocol)> Client, RecordingProtocol Peer)> DialPlainAsync(
        KernelStage stage, TlsClientOptions? tls = null, RecordingProtocol? peer = null, CancellationToken cancellation = default)
    {
        var (first, second) = stage.CreateSocketPair();
        var (_, protocol) = await stage.Loop.AdoptAsync(() => stage.Watch(peer ?? new RecordingProtocol()), second, null, CancellationToken.None);
        var dialling = stage.Loop.AdoptAsync(
            () => stage.Watch(new RecordingProtocol()), first, new ConnectionOptions { Tls = tls ?? TestTls.Default.Client }, cancellation);
        return (dialling, protocol);
    }

    /// <summary>A TLS server, and a client that does not speak TLS.</summary>
    public static async Task<(Reception Reception, RecordingProtocol Client)> ServePlainClientAsync(
        KernelStage stage, TlsServerOptions? tls = null, ServerOptions? options = null)
    {
        var reception = await Reception.OpenAsync(stage, options: (options ?? new ServerOptions()) with { Tls = tls ?? TestTls.Default.Server });
        var (_, client) = await reception.DialAsync(reception.Server.EndPoints[0]);
        await stage.UntilAsync(() => reception.Server.ConnectionCount == 1);
        return (reception, client);
    }

    /// <summary>Upgrades both ends of a plain connection.</summary>
    /// <returns>The same protocols on the transports that they have now.</returns>
    public static async Task<(ITransport Client, ITransport Server)> UpgradeAsync(
        KernelStage stage, StreamPair pair, TlsClientOptions? clientTls = null, TlsServerOptions? serverTls = null, Func<ITransport, ITransport>? wrap = null)
    {
        wrap ??= static transport => transport;
        var server = stage.Loop.StartTlsAsync(wrap(pair.Server), (IProtocol<ITransport>)pair.Server.Protocol!, serverTls ?? TestTls.Default.Server);
        var client = stage.Loop.StartTlsAsync(wrap(pair.Client), (IProtocol<ITransport>)pair.Client.Protocol!, clientTls ?? TestTls.Default.Client);
        var upgraded = (await client, await server);
        pair.ClientRecord.CarryOn(upgraded.Item1);
        pair.ServerRecord.CarryOn(upgraded.Item2);
        return upgraded;
    }

    /// <summary>A TLS connection over two transports that are not the library's own, below which a test can act.</summary>
    public static async Task<(StreamPair Pair, ITransport Client, ITransport Server)> TapAsync(
        KernelStage stage, Func<IProtocol<ITransport>>? client = null, Func<IProtocol<ITransport>>? server = null, TlsClientOptions? clientTls = null)
    {
        var pair = await stage.ConnectAsync(client, server);
        var (upClient, upServer) = await UpgradeAsync(stage, pair, clientTls, wrap: static transport => new StandInTransport(transport));
        return (pair, upClient, upServer);
    }

    public static TlsClientOptions Client(Action<SslClientAuthenticationOptions> change)
    {
        var authentication = TestTls.Default.ClientAuthentication();
        change(authentication);
        return new TlsClientOptions(authentication);
    }

    public static TlsServerOptions Server(Action<SslServerAuthenticationOptions> change)
    {
        var authentication = new SslServerAuthenticationOptions { ServerCertificate = TestTls.Default.ServerCertificate };
        change(authentication);
        return new TlsServerOptions(authentication);
    }
}
