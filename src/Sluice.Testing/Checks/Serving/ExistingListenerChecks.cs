using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Servers on sockets that existed before: taken over, with or without their file, or borrowed.</summary>
internal static class ExistingListenerChecks
{
    [Check("SRV-013")]
    public static async Task A_bound_socket_is_served_whether_or_not_it_listens(KernelStage stage)
    {
        foreach (var listens in (bool[])[false, true])
        {
            var socket = stage.CreateBoundSocket(stage.CreateListenAddress(), listens);

            var server = await ServeAsync(stage, socket, ListenerOwnership.Owned);

            Check.That(socket.IsClosed, "the server has not taken the socket over");
            Check.That(server.IsServing && server.Sockets.Count == 1);
            await ExchangeAsync(stage, server.EndPoints[0]);
            var address = server.EndPoints[0];
            server.Close();
            await RefusedAsync(stage, address);
        }
    }

    [Check("SRV-013")]
    public static async Task A_taken_over_socket_can_begin_to_serve_later(KernelStage stage)
    {
        var socket = stage.CreateBoundSocket(stage.CreateListenAddress(), listens: false);

        await using var server = await ServeAsync(stage, socket, ListenerOwnership.Owned, new ServerOptions { StartServing = false });

        Check.That(!server.IsServing);
        await RefusedAsync(stage, server.EndPoints[0]);
        await server.StartServingAsync();
        await ExchangeAsync(stage, server.EndPoints[0]);
    }

    [Check("SRV-013", "BUG-043")]
    public static async Task Something_else_is_refused_and_closed(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        using (second)
        {
            await Check.ThrowsAsync<SocketException>(() => ServeAsync(stage, first, ListenerOwnership.Owned));
            Check.That(first.IsClosed, "the socket is still open");
        }
    }

    [Check("SRV-013")]
    public static async Task A_cancelled_server_closes_the_socket(KernelStage stage)
    {
        var socket = stage.CreateBoundSocket(stage.CreateListenAddress(), listens: true);

        await Check.ThrowsAsync<OperationCanceledException>(() => stage.Loop.ServeHandlesAsync(
            static () => new RecordingProtocol(), [socket], ListenerOwnership.Owned, cancellationToken: new CancellationToken(canceled: true)));

        Check.That(socket.IsClosed);
    }

    [Check("UNIX-017", Needs = CheckNeeds.Unix)]
    public static async Task The_Unix_call_removes_the_file_of_a_socket_and_the_general_one_leaves_it(KernelStage stage)
    {
        foreach (var (ownership, cleanup, stays) in ((ListenerOwnership, bool, bool)[])
            [
                (ListenerOwnership.OwnedWithFile, true, false),
                (ListenerOwnership.OwnedWithFile, false, true),
                (ListenerOwnership.Owned, true, true),
            ])
        {
            var address = stage.CreateListenAddress();
            var server = await ServeAsync(stage, stage.CreateBoundSocket(address, listens: true), ownership, new ServerOptions { CleanupSocket = cleanup });
            var file = stage.IdentityOf(address.ToString()!);
            Check.That(file is not null);
            await ExchangeAsync(stage, address);

            server.Close();

            Check.Equal(stays ? file : null, stage.IdentityOf(address.ToString()!));
        }
    }

    [Check("UNIX-017", "UNIX-019", Needs = CheckNeeds.Unix)]
    public static async Task A_successor_of_a_taken_over_sockets_file_is_left_alone(KernelStage stage)
    {
        var path = stage.CreateListenAddress().ToString()!;
        var socket = stage.CreateBoundSocket(new UnixDomainSocketEndPoint(path), listens: true);
        var server = await ServeAsync(stage, socket, ListenerOwnership.OwnedWithFile);
        stage.RemoveFile(path);
        stage.PutStaleSocket(path);
        var successor = stage.IdentityOf(path);

        server.Close();

        Check.Equal(successor, stage.IdentityOf(path));
    }

    [Check("BUG-013", "BUG-079")]
    public static async Task A_borrowed_socket_goes_on_listening_when_its_server_closes(KernelStage stage)
    {
        var address = stage.CreateListenAddress();
        using var socket = stage.CreateBoundSocket(address, listens: true);
        for (var round = 0; round < 2; round++)
        {
            var server = await ServeAsync(stage, socket, ListenerOwnership.Borrowed);
            await ExchangeAsync(stage, server.EndPoints[0]);
            address = server.EndPoints[0];
            server.Close();
            await server.WaitClosedAsync();
            Check.That(!socket.IsClosed && (stage.IsTcp || stage.IdentityOf(address.ToString()!) is not null));
        }

        // Between two servers a peer waits in the backlog.
        var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address);
        transport.Write("patience"u8);
        await using var next = await ServeAsync(stage, socket, ListenerOwnership.Borrowed);
        await client.WaitForBytesAsync(8);
        transport.Close();
        await client.Lost;
    }

    [Check("BUG-013")]
    public static async Task A_socket_that_does_not_listen_cannot_be_borrowed(KernelStage stage)
    {
        using var socket = stage.CreateBoundSocket(stage.CreateListenAddress(), listens: false);

        await Check.ThrowsAsync<SocketException>(() => ServeAsync(stage, socket, ListenerOwnership.Borrowed));

        Check.That(!socket.IsClosed);
    }

    [Check("TCP-066", "BUG-013", Needs = CheckNeeds.Tcp)]
    public static async Task Connections_get_the_options_that_their_listener_lacks(KernelStage stage)
    {
        var socket = stage.CreateBoundSocket(stage.CreateListenAddress(), listens: true);
        var served = new TaskCompletionSource<ITransport>();
        await using var server = await stage.Loop.ServeHandlesAsync(
            () => stage.Watch(new RecordingProtocol { OnMade = served.SetResult }), [socket], ListenerOwnership.Owned);

        var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), server.EndPoints[0]);
        var accepted = (await served.Task).GetExtraInfo(ExtraInfo.Socket)!;

        Check.That(accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay) != 0);
        Check.Equal(0, server.Sockets[0].GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay));
        transport.Close();
        await client.Lost;
    }

    [Check("SRV-013")]
    public static Task Options_without_sockets_need_an_address(KernelStage stage)
    {
        Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateServerAsync(() => new RecordingProtocol(), new ServerOptions()); });
        Check.Throws<ArgumentNullException>(() => { _ = stage.Loop.CreateServerAsync(() => new RecordingProtocol(), (ServerOptions)null!); });
        return Task.CompletedTask;
    }

    private static Task<Server> ServeAsync(KernelStage stage, SafeHandle socket, ListenerOwnership ownership, ServerOptions? options = null) =>
        stage.Loop.ServeHandlesAsync(() => stage.Watch(RecordingProtocol.Echo()), [socket], ownership, options);

    private static async Task ExchangeAsync(KernelStage stage, EndPoint address)
    {
        var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address);
        transport.Write("hello"u8);
        await client.WaitForBytesAsync(5);
        transport.Close();
        Check.That(await client.Lost is null);
    }

    private static async Task RefusedAsync(KernelStage stage, EndPoint address)
    {
        var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), address));
        Check.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
    }
}
