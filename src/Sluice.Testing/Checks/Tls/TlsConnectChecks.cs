using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Tls;

/// <summary>TLS from the connection to ConnectionMade: who hears what and when, who is trusted, and what is refused.</summary>
internal static class TlsConnectChecks
{
    private const int Size = 1024 * 1024;

    [Check("TLS-001", "UNIX-023")]
    public static async Task Many_clients_exchange_a_megabyte_each_way(KernelStage stage)
    {
        const int Clients = 25;
        var reception = await Reception.OpenAsync(stage, RecordingProtocol.Echo, TlsPeers.ServerOptions);
        var dials = Enumerable.Range(0, Clients).Select(_ => DialAsync(stage, reception)).ToArray();
        var clients = new List<RecordingProtocol>();
        foreach (var dial in dials) clients.Add((await dial).Protocol);

        foreach (var client in clients) client.Transport.Write(Payload.Of(Size));
        foreach (var client in clients) await client.WaitForBytesAsync(Size);

        foreach (var client in clients)
        {
            Check.Bytes(Payload.Of(Size), client.Received);
            client.Transport.Close();
            Check.That(await client.Lost is null);
        }

        Check.Equal(Clients, reception.Served.Count);
        foreach (var served in reception.Served) Check.That(await served.Lost is null);
        Check.Equal(0, reception.Server.ConnectionCount);
        reception.Server.Close();
    }

    [Check("TLS-001", "TLS-002")]
    public static async Task The_caller_resumes_after_ConnectionMade_and_before_the_first_data(KernelStage stage)
    {
        var order = new List<string>();
        var reception = await Reception.OpenAsync(
            stage, static () => new RecordingProtocol { OnMade = static transport => transport.Write("first"u8) }, TlsPeers.ServerOptions);

        var (transport, client) = await stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol { OnMade = _ => order.Add("made"), OnData = _ => order.Add("data") }),
            reception.Server.EndPoints[0],
            TlsPeers.ClientOptions);
        order.Add("resumed");
        await client.WaitForBytesAsync(5);

        Check.Trace(order.Distinct().ToArray(), "made", "resumed", "data");
        Check.That(ReferenceEquals(transport, client.Transport));
        Check.That(transport.GetExtraInfo(ExtraInfo.Cipher) is not null);
        reception.Server.Close();
    }

    [Check("TLS-005", "BUG-055")]
    public static async Task A_certificate_that_nobody_vouches_for_fails_the_connect_and_makes_nobody(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: TlsPeers.ServerOptions);
        var client = stage.Watch(new RecordingProtocol());

        await Check.ThrowsAsync<AuthenticationException>(() => stage.Loop.CreateConnectionAsync(
            () => client, reception.Server.EndPoints[0], new ConnectionOptions { Tls = new TlsClientOptions(new() { TargetHost = TestTls.HostName }) }));

        await stage.UntilAsync(() => reception.Server.ConnectionCount == 0);
        Check.Equal(0, client.Trace.Count);
        foreach (var served in reception.Served) Check.That(served.Trace.All(static entry => entry != "DataReceived"), "data came");
        reception.Server.Close();
    }

    [Check("TLS-006")]
    public static async Task A_certificate_for_another_name_is_refused_by_name(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: TlsPeers.ServerOptions);

        var refused = await Check.ThrowsAsync<AuthenticationException>(() => DialAsync(stage, reception, TlsPeers.Client(static options => options.TargetHost = "another.example")));

        Check.That(refused.Message.Contains("NameMismatch", StringComparison.Ordinal), refused.Message);
        await stage.UntilAsync(() => reception.Server.ConnectionCount == 0);
        reception.Server.Close();
    }

    [Check("TLS-007", "TLS-050", "CONN-028")]
    public static async Task An_empty_name_switches_off_the_check_of_the_name_and_only_that(KernelStage stage)
    {
        var stranger = TlsPeers.Server(static options => options.ServerCertificate = TestTls.Default.Issue("another.example", "1.3.6.1.5.5.7.3.1"));
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { Tls = stranger });

        await Check.ThrowsAsync<AuthenticationException>(() => DialAsync(stage, reception));
        var (transport, _) = await DialAsync(stage, reception, TlsPeers.Client(static options => options.TargetHost = ""));
        Check.That(transport.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject == "CN=another.example");
        Check.That(transport.GetExtraInfo(ExtraInfo.ServerName) is null);
        await Check.ThrowsAsync<AuthenticationException>(() => DialAsync(stage, reception, new TlsClientOptions(new() { TargetHost = "" })));
        reception.Server.Close();
    }

    [Check("CONN-028", Needs = CheckNeeds.Tcp)]
    public static async Task The_host_that_is_connected_to_is_the_name_that_is_checked(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: TlsPeers.ServerOptions);
        var address = (IPEndPoint)reception.Server.EndPoints[0];
        var options = new ConnectionOptions { Tls = TlsPeers.Client(static options => options.TargetHost = null) };

        // The certificate names the loopback addresses.
        await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address, options);
        stage.Names.Add("elsewhere.example", address.Address);
        var refused = await Check.ThrowsAsync<AuthenticationException>(() =>
            stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), "elsewhere.example", address.Port, options));
        Check.That(refused.Message.Contains("NameMismatch", StringComparison.Ordinal), refused.Message);
        reception.Server.Close();
    }

    [Check("CONN-027", "UNIX-011", "TLS-011")]
    public static Task What_cannot_be_is_refused_at_the_call(KernelStage stage)
    {
        var loop = stage.Loop;
        var address = stage.CreateListenAddress();
        var nameless = new ConnectionOptions { Tls = TlsPeers.Client(static options => options.TargetHost = null) };
        Check.Throws<ArgumentException>(() => { _ = loop.CreateUnixConnectionAsync(Protocol, "/nowhere", nameless); });
        Check.Throws<ArgumentException>(() => { _ = loop.CreateConnectionAsync(Protocol, null, 443, nameless); });
        Check.Throws<ArgumentException>(() => { _ = loop.CreateConnectionAsync(Protocol, "", 443, nameless); });
        var (near, far) = SocketPair.Create();
        using (near)
        using (far)
        {
            Check.Throws<ArgumentException>(() => { _ = loop.CreateConnectionAsync(Protocol, near, nameless); });
        }

        foreach (var timeout in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromSeconds(-1), Timeout.InfiniteTimeSpan])
        {
            var client = TestTls.Default.Client;
            var server = TestTls.Default.Server;
            RefuseClient(client with { HandshakeTimeout = timeout });
            RefuseClient(client with { ShutdownTimeout = timeout });
            RefuseServer(server with { HandshakeTimeout = timeout });
            RefuseServer(server with { ShutdownTimeout = timeout });
        }

        RefuseServer(TestTls.Default.Server with { MaxHandshakes = 0 });
        RefuseServer(new TlsServerOptions(new SslServerAuthenticationOptions()));
        return Task.CompletedTask;

        void RefuseClient(TlsClientOptions tls) =>
            Check.Throws<ArgumentException>(() => { _ = loop.CreateConnectionAsync(Protocol, address, new ConnectionOptions { Tls = tls }); });

        void RefuseServer(TlsServerOptions tls) =>
            Check.Throws<ArgumentException>(() => { _ = loop.CreateServerAsync(Protocol, address, new ServerOptions { Tls = tls }); });
    }

    [Check("CONN-038")]
    public static async Task A_socket_that_was_accepted_elsewhere_speaks_TLS_as_the_server(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var serving = stage.Loop.AdoptAcceptedAsync(
            () => stage.Watch(RecordingProtocol.Echo()), second, new AcceptedSocketOptions { Tls = TestTls.Default.Server });
        var (transport, client) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first, TlsPeers.ClientOptions);
        var (serverTransport, _) = await serving;

        transport.Write(Payload.Of(100_000));
        await client.WaitForBytesAsync(100_000);
        Check.Bytes(Payload.Of(100_000), client.Received);
        Check.That(serverTransport.GetExtraInfo(ExtraInfo.Cipher) is not null);
    }

    [Check("BUG-066", "TLS-013", "BUG-055")]
    public static async Task With_TLS_asked_for_not_one_byte_is_plain(KernelStage stage)
    {
        var (dialling, peer) = await TlsPeers.DialPlainAsync(stage);
        await peer.WaitForBytesAsync(6);
        Check.Equal((byte)0x16, peer.Received[0]);
        Check.Equal((byte)0x01, peer.Received[5]);
        Check.That(!dialling.IsCompleted);
        peer.Transport.Abort();
        await Check.ThrowsAsync<SocketException>(() => dialling);

        var server = await stage.Loop.CreateServerAsync(() => stage.Watch(peer = new RecordingProtocol { OnData = _ => peer!.Transport.Abort() }), stage.CreateListenAddress());
        await Check.ThrowsAsync<SocketException>(() =>
            stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol { OnMade = static transport => transport.Write("plain"u8) }), server.EndPoints[0], TlsPeers.ClientOptions));
        await peer.Lost;
        Check.Equal((byte)0x16, peer.Received[0]);
        server.Close();
    }

    [Check("TLS-008", "TLS-009")]
    public static async Task Facts_are_told_and_still_told_after_the_loss(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(
            stage,
            clientTls: TlsPeers.Client(static options => options.ApplicationProtocols = [new("other"), new("chosen")]),
            serverTls: TlsPeers.Server(static options => options.ApplicationProtocols = [new("chosen")]));
        var socket = pair.Client.GetExtraInfo(ExtraInfo.Socket);
        Check.That(socket is not null && pair.Client.GetExtraInfo("socket") == socket);
        Check.Equal(pair.Server.GetExtraInfo(ExtraInfo.SocketName), pair.Client.GetExtraInfo(ExtraInfo.PeerName));
        Verify();

        await pair.CloseAsync();
        Verify();

        void Verify()
        {
            Check.That(pair.Client.GetExtraInfo("sslcontext") is TlsClientOptions && pair.Server.GetExtraInfo(ExtraInfo.Tls) is TlsServerOptions);
            Check.That(pair.Client.GetExtraInfo("ssl_object") is SslStream);
            Check.That(pair.Client.GetExtraInfo("compression", "none") is "none");
            Check.Equal(TestTls.Default.ServerCertificate.Thumbprint, pair.Client.GetExtraInfo(ExtraInfo.PeerCertificate)!.Thumbprint);
            Check.That(pair.Server.GetExtraInfo(ExtraInfo.PeerCertificate) is null, "the client has shown no certificate");
            Check.That(pair.Server.GetExtraInfo(ExtraInfo.Cipher)!.Protocol is SslProtocols.Tls13 or SslProtocols.Tls12);
            Check.Equal(pair.Server.GetExtraInfo(ExtraInfo.Cipher), pair.Client.GetExtraInfo(ExtraInfo.Cipher));
            Check.Equal("chosen", pair.Client.GetExtraInfo(ExtraInfo.ApplicationProtocol));
            Check.Equal("chosen", pair.Server.GetExtraInfo(ExtraInfo.ApplicationProtocol));
            Check.Equal(TestTls.HostName, pair.Client.GetExtraInfo(ExtraInfo.ServerName));
            Check.Equal(TestTls.HostName, pair.Server.GetExtraInfo(ExtraInfo.ServerName));
            Check.That(pair.Client.GetExtraInfo("no such thing", 5) is 5);
        }
    }

    [Check("TLS-008")]
    public static async Task Facts_that_nobody_asked_for_before_the_loss_are_told_after_it(KernelStage stage)
    {
        foreach (var isAborted in (bool[])[false, true])
        {
            var pair = await TlsPeers.ConnectAsync(stage);
            if (isAborted) pair.Client.Abort();
            else pair.Client.Close();
            await pair.ClientRecord.Lost;
            await pair.ServerRecord.Lost;
            await stage.SettleAsync();

            Check.Equal(TestTls.Default.ServerCertificate.Thumbprint, pair.Client.GetExtraInfo(ExtraInfo.PeerCertificate)?.Thumbprint);
            Check.Equal(TestTls.HostName, pair.Client.GetExtraInfo(ExtraInfo.ServerName));
            Check.That(pair.Client.GetExtraInfo(ExtraInfo.Cipher) is { } cipher && cipher == pair.Server.GetExtraInfo(ExtraInfo.Cipher));
        }
    }

    [Check("TLS-008")]
    public static async Task A_client_s_certificate_is_judged_and_told(KernelStage stage)
    {
        var serverTls = new TlsServerOptions(TestTls.Default.DemandingServer());
        var pair = await TlsPeers.ConnectAsync(
            stage, clientTls: TlsPeers.Client(static options => options.ClientCertificates = [TestTls.Default.ClientCertificate]), serverTls: serverTls);

        Check.Equal("CN=client", pair.Server.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject);
        await pair.CloseAsync();
    }

    [Check("TLS-007")]
    public static async Task The_user_s_callbacks_run_on_the_loop_with_its_context(KernelStage stage)
    {
        var calls = new List<string>();
        var loop = SynchronizationContext.Current;
        var pair = await TlsPeers.ConnectAsync(
            stage,
            clientTls: TlsPeers.Client(options => options.RemoteCertificateValidationCallback = (_, _, _, errors) => Note("validation", errors == SslPolicyErrors.None)),
            serverTls: TlsPeers.Server(options =>
            {
                options.ServerCertificate = null;
                options.ServerCertificateSelectionCallback = (_, name) => Note($"selection {name}", true) ? TestTls.Default.ServerCertificate : null!;
            }));

        Check.Trace(calls, "selection localhost", "validation");
        await pair.CloseAsync();

        bool Note(string what, bool answer)
        {
            Check.That(ReferenceEquals(loop, SynchronizationContext.Current) && ReferenceEquals(EventLoop.Current, stage.Loop), "a callback ran off the loop");
            calls.Add(what);
            return answer;
        }
    }

    private static Protocol Protocol() => new RecordingProtocol();

    private static Task<(ITransport Transport, RecordingProtocol Protocol)> DialAsync(KernelStage stage, Reception reception, TlsClientOptions? tls = null) =>
        stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], new ConnectionOptions { Tls = tls ?? TestTls.Default.Client });
}
