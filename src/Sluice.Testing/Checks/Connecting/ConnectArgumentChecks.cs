using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>What a connect refuses at the call, before anything is opened.</summary>
internal static class ConnectArgumentChecks
{
    [Check("CONN-008")]
    public static Task Without_an_address_or_a_factory_there_is_no_connect(KernelStage stage)
    {
        var loop = stage.Loop;
        Check.Throws<ArgumentNullException>(() => { _ = loop.CreateConnectionAsync(Protocol, (EndPoint)null!); });
        Check.Throws<ArgumentNullException>(() => { _ = loop.CreateConnectionAsync(Protocol, (Socket)null!); });
        Check.Throws<ArgumentNullException>(() => { _ = loop.ConnectAcceptedSocketAsync(Protocol, null!); });
        Check.Throws<ArgumentNullException>(() => { _ = loop.CreateConnectionAsync<RecordingProtocol>(null!, "localhost", 80); });
        Check.Throws<ArgumentException>(() => { _ = loop.CreateConnectionAsync(Protocol, string.Empty, 80); });
        Check.Throws<ArgumentException>(() => { _ = loop.CreateUnixConnectionAsync(Protocol, string.Empty); });
        return Task.CompletedTask;
    }

    [Check("CONN-008", "BUG-050")]
    public static Task A_port_or_a_family_that_cannot_be_is_refused(KernelStage stage)
    {
        foreach (var host in (string?[])[null, "127.0.0.1", "name.test"])
        {
            foreach (var port in (int[])[-1, 65_536, 70_000, int.MinValue])
            {
                Check.Throws<ArgumentOutOfRangeException>(() => { _ = stage.Loop.CreateConnectionAsync(Protocol, host, port); });
                Check.Throws<ArgumentOutOfRangeException>(() => { _ = stage.Loop.GetAddressInfoAsync(host, port); });
            }

            Check.Throws<ArgumentException>(
                () => { _ = stage.Loop.CreateConnectionAsync(Protocol, host, 80, new ConnectionOptions { AddressFamily = AddressFamily.Unix }); });
        }

        Refuses(stage, new ConnectionOptions { AddressFamily = AddressFamily.InterNetworkV6 });
        return Task.CompletedTask;
    }

    [Check("CONN-008")]
    public static Task Options_that_cannot_be_are_refused(KernelStage stage)
    {
        Refuses(stage, new ConnectionOptions { HappyEyeballsDelay = TimeSpan.FromTicks(-1) });
        Refuses(stage, new ConnectionOptions { HappyEyeballsDelay = Timeout.InfiniteTimeSpan });
        Refuses(stage, new ConnectionOptions { Interleave = -1 });
        Refuses(stage, new ConnectionOptions { LocalEndPoint = new UnixDomainSocketEndPoint("/local") });
        Refuses(stage, new ConnectionOptions { LocalEndPoint = new DnsEndPoint(new string('a', 300), 0) });
        Refuses(stage, new ConnectionOptions { MaxWriteBufferSize = 0 });
        return Task.CompletedTask;
    }

    [Check("CONN-009")]
    public static Task What_has_one_address_takes_no_options_about_addresses(KernelStage stage)
    {
        var (near, far) = SocketPair.Create();
        using (near)
        using (far)
        {
            foreach (var options in (ConnectionOptions[])
            [
                new() { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) },
                new() { HappyEyeballsDelay = TimeSpan.Zero },
                new() { Interleave = 1 },
                new() { AddressFamily = AddressFamily.InterNetwork },
            ])
            {
                Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateConnectionAsync(Protocol, near, options); });
                Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateUnixConnectionAsync(Protocol, near, options); });
                Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateUnixConnectionAsync(Protocol, "/path", options); });
            }

            near.Send("still mine"u8);
        }

        return Task.CompletedTask;
    }

    [Check("CONN-010", "CONN-012")]
    public static Task A_socket_that_is_no_open_connected_stream_is_refused_and_left_alone(KernelStage stage)
    {
        using var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var unconnected = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var closed = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        closed.Dispose();
        foreach (var connect in (Action<Socket>[])
        [
            socket => { _ = stage.Loop.CreateConnectionAsync(Protocol, socket); },
            socket => { _ = stage.Loop.ConnectAcceptedSocketAsync(Protocol, socket); },
            socket => { _ = stage.Loop.CreateUnixConnectionAsync(Protocol, socket); },
        ])
        {
            Check.Throws<ArgumentException>(() => connect(datagram));
            Check.Throws<ArgumentException>(() => connect(unconnected));
            Check.Throws<ObjectDisposedException>(() => connect(closed));
        }

        datagram.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return Task.CompletedTask;
    }

    [Check("BUG-051", "CONN-008")]
    public static Task A_path_that_would_be_cut_is_refused(KernelStage stage)
    {
        foreach (var path in (string[])["/run/live\0.sock", new string('p', 108), "\0" + new string('a', 108), new string('\u00fc', 54)])
        {
            Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateUnixConnectionAsync(Protocol, path); });
            Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateUnixServerAsync(static () => new RecordingProtocol(), path); });
        }

        return Task.CompletedTask;
    }

    private static void Refuses(KernelStage stage, ConnectionOptions options) =>
        Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateConnectionAsync(Protocol, new IPEndPoint(IPAddress.Loopback, 80), options); });

    private static RecordingProtocol Protocol() => new();
}
