using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Streams;

/// <summary>What a transport tells about its socket, while it lives and after.</summary>
internal static class ExtraInfoChecks
{
    [Check("TCP-063", Needs = CheckNeeds.Tcp)]
    public static async Task Each_end_knows_its_name_and_its_peers(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Equal(Names(pair.Client), Swapped(Names(pair.Server)));
        Check.That(pair.Client.GetExtraInfo(ExtraInfo.PeerName) is IPEndPoint { Port: > 0 });
        Check.That(pair.Client.GetExtraInfo(ExtraInfo.SocketName) is IPEndPoint { Port: > 0 });
    }

    [Check("TCP-063", Needs = CheckNeeds.Unix)]
    public static async Task The_path_is_the_servers_name(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();

        var path = pair.Client.GetExtraInfo(ExtraInfo.PeerName);
        Check.That(path is UnixDomainSocketEndPoint);
        Check.Equal(path, pair.Server.GetExtraInfo(ExtraInfo.SocketName));
    }

    [Check("TCP-063")]
    public static async Task Typed_keys_and_asyncios_names_find_the_same_and_unknown_ones_the_default(KernelStage stage)
    {
        var transport = (await stage.ConnectAsync()).Client;

        var socket = transport.GetExtraInfo(ExtraInfo.Socket);
        Check.That(socket is not null);
        Check.That(ReferenceEquals(socket, transport.GetExtraInfo(ExtraInfo.Socket)), "another socket object at the second call");
        Check.That(ReferenceEquals(socket, transport.GetExtraInfo("socket")));
        Check.That(transport.TryGetExtraInfo(ExtraInfo.Socket, out var found) && ReferenceEquals(socket, found));
        Check.Equal(transport.GetExtraInfo(ExtraInfo.PeerName), transport.GetExtraInfo("peername"));
        Check.Equal(socket!.LocalEndPoint, transport.GetExtraInfo(ExtraInfo.SocketName));
        Check.Equal(socket.RemoteEndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));

        Check.That(transport.GetExtraInfo("sslcontext") is null);
        Check.Equal("fallback", transport.GetExtraInfo("no such thing", "fallback"));
        Check.Throws<ArgumentNullException>(() => transport.GetExtraInfo((string)null!));
    }

    [Check("TCP-058", "TCP-061", "TCP-063")]
    public static async Task Names_outlive_the_connection_and_the_socket_does_not(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var names = Names(pair.Client);
        var socket = pair.Client.GetExtraInfo(ExtraInfo.Socket)!;
        Check.That(socket.Handle > 0);

        await pair.CloseAsync();
        await stage.SettleAsync();

        Check.Equal(names, Names(pair.Client));
        Check.That(ReferenceEquals(socket, pair.Client.GetExtraInfo(ExtraInfo.Socket)));
        Check.Equal(-1, socket.Handle);
        Check.Throws<ObjectDisposedException>(() => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Check.Throws<ObjectDisposedException>(() => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1));
        Check.That(pair.Client.ToString()!.Length > 0 && socket.ToString()!.Length > 0);
    }

    [Check("TCP-066", Needs = CheckNeeds.Tcp)]
    public static async Task Small_segments_are_not_delayed_unless_asked(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        Check.That(NoDelay(pair.Client) != 0 && NoDelay(pair.Server) != 0);

        var patient = await stage.ConnectAsync(
            clientOptions: new ConnectionOptions { NoDelay = false }, serverOptions: new ServerOptions { NoDelay = false });
        Check.That(NoDelay(patient.Client) == 0 && NoDelay(patient.Server) == 0);
    }

    [Check("TCP-073")]
    public static async Task The_socket_can_be_looked_at_and_tuned_but_not_made_to_wait(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var socket = pair.Client.GetExtraInfo(ExtraInfo.Socket)!;

        Check.Equal(SocketType.Stream, socket.SocketType);
        Check.Equal(stage.IsTcp ? ProtocolType.Tcp : ProtocolType.Unspecified, socket.ProtocolType);
        Check.Equal(stage.IsTcp, socket.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1);
        Check.That(socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0);
        Check.Throws<ArgumentException>(() => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendTimeout, 1));
        Check.Throws<ArgumentException>(() => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveTimeout, 1));

        pair.Client.Write("still there"u8);
        await pair.ServerProtocol.WaitForBytesAsync(11);
    }

    private static int NoDelay(ITransport transport) =>
        transport.GetExtraInfo(ExtraInfo.Socket)!.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay);

    private static (EndPoint?, EndPoint?) Names(ITransport transport) =>
        (transport.GetExtraInfo(ExtraInfo.SocketName), transport.GetExtraInfo(ExtraInfo.PeerName));

    private static (EndPoint?, EndPoint?) Swapped((EndPoint?, EndPoint?) names) => (names.Item2, names.Item1);
}
