using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Servers on Unix sockets: what they find at their path, and what they leave there.</summary>
internal static class UnixServerChecks
{
    [Check("UNIX-001", Needs = CheckNeeds.Unix)]
    public static async Task A_dead_servers_socket_is_replaced(KernelStage stage)
    {
        var path = PathOf(stage);
        stage.PutStaleSocket(path);
        var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), path));
        Check.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);

        await using var server = await ServeAsync(stage, path);

        await ExchangeAsync(stage, server.EndPoints[0]);
    }

    [Check("UNIX-002", "BUG-078", Needs = CheckNeeds.Unix)]
    public static async Task A_regular_file_is_in_use_and_stays(KernelStage stage)
    {
        var path = PathOf(stage);
        stage.PutFile(path);
        var before = stage.IdentityOf(path);

        await RefusesAsync(stage, path);

        Check.Equal(before, stage.IdentityOf(path));
    }

    [Check("BUG-078", Needs = CheckNeeds.Unix)]
    public static async Task A_live_servers_path_is_in_use_and_it_goes_on(KernelStage stage)
    {
        var path = PathOf(stage);
        await using var server = await ServeAsync(stage, path);

        await RefusesAsync(stage, path);

        await ExchangeAsync(stage, server.EndPoints[0]);
    }

    [Check("BUG-078", Needs = CheckNeeds.Unix)]
    public static async Task A_server_that_does_not_listen_yet_is_no_dead_one(KernelStage stage)
    {
        var path = PathOf(stage);
        await using var server = await ServeAsync(stage, path, new ServerOptions { StartServing = false });
        var file = stage.IdentityOf(path);

        await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), path));
        await RefusesAsync(stage, path);
        Check.Equal(file, stage.IdentityOf(path));

        await server.StartServingAsync();
        await ExchangeAsync(stage, server.EndPoints[0]);
        await RefusesAsync(stage, path);
    }

    [Check("BUG-078", Needs = CheckNeeds.Unix)]
    public static async Task A_server_that_never_listened_leaves_its_path_free(KernelStage stage)
    {
        var path = PathOf(stage);
        await (await ServeAsync(stage, path, new ServerOptions { StartServing = false })).DisposeAsync();
        Check.That(stage.IdentityOf(path) is null, "the file is still there");

        await using var next = await ServeAsync(stage, path);

        await ExchangeAsync(stage, next.EndPoints[0]);
    }

    [Check("UNIX-003", "UNIX-014", Needs = CheckNeeds.Unix)]
    public static async Task A_path_and_an_end_point_mean_the_same_and_a_missing_one_is_named(KernelStage stage)
    {
        var path = PathOf(stage);
        foreach (var connect in (Func<Task>[])
            [
                () => stage.Loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), path),
                () => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), new UnixDomainSocketEndPoint(path)),
            ])
        {
            var failure = await Check.ThrowsAsync<SocketException>(connect);
            Check.Equal(SocketError.AddressNotAvailable, failure.SocketErrorCode);
            Check.That(failure.Message.Contains(path, StringComparison.Ordinal), failure.Message);
        }

        await using var server = await ServeAsync(stage, path);
        Check.Equal(new UnixDomainSocketEndPoint(path), server.EndPoints[0]);
        var (transport, _) = await stage.Loop.CreateUnixConnectionAsync(() => stage.Watch(new RecordingProtocol()), path);
        Check.Equal(server.EndPoints[0], transport.GetExtraInfo(ExtraInfo.PeerName));
        transport.Close();
    }

    [Check("UNIX-016", Needs = CheckNeeds.Unix)]
    public static async Task The_file_goes_with_the_server(KernelStage stage)
    {
        var path = PathOf(stage);
        var server = await ServeAsync(stage, path);
        Check.That(stage.IdentityOf(path) is not null, "there is no file");

        server.Close();

        Check.That(stage.IdentityOf(path) is null, "the file is still there");
    }

    [Check("UNIX-018", Needs = CheckNeeds.Unix)]
    public static async Task A_file_that_is_gone_already_is_no_error(KernelStage stage)
    {
        var path = PathOf(stage);
        var server = await ServeAsync(stage, path);
        stage.RemoveFile(path);

        server.Close();

        await server.WaitClosedAsync();
    }

    [Check("UNIX-019", "BUG-079", Needs = CheckNeeds.Unix)]
    public static async Task A_successors_file_is_left_alone(KernelStage stage)
    {
        foreach (var put in (Action<string>[])[stage.PutStaleSocket, stage.PutFile])
        {
            var path = PathOf(stage);
            var server = await ServeAsync(stage, path);
            stage.RemoveFile(path);
            put(path);
            var successor = stage.IdentityOf(path);

            server.Close();

            Check.Equal(successor, stage.IdentityOf(path));
        }
    }

    [Check("UNIX-020", Needs = CheckNeeds.Unix)]
    public static async Task The_file_stays_where_the_options_say_so(KernelStage stage)
    {
        var path = PathOf(stage);
        var server = await ServeAsync(stage, path, new ServerOptions { CleanupSocket = false });
        var file = stage.IdentityOf(path);

        server.Close();

        Check.That(file is not null);
        Check.Equal(file, stage.IdentityOf(path));
        await using var next = await ServeAsync(stage, path);
        await ExchangeAsync(stage, next.EndPoints[0]);
    }

    [Check("UNIX-021", Needs = CheckNeeds.Unix)]
    public static async Task An_abstract_name_has_no_file_and_keeps_every_byte(KernelStage stage)
    {
        var name = NameOf(stage.CreateAbstractAddress()) + "\0tail\0";
        await using (var server = await ServeAsync(stage, name))
        {
            Check.Equal(new UnixDomainSocketEndPoint(name), server.EndPoints[0]);
            await ExchangeAsync(stage, server.EndPoints[0]);
            foreach (var other in (string[])[name[..^1], name + "\0", name[..^6]])
            {
                var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), other));
                Check.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            }

            var taken = await Check.ThrowsAsync<SocketException>(() => ServeAsync(stage, name));
            Check.Equal(SocketError.AddressAlreadyInUse, taken.SocketErrorCode);
        }

        await using var next = await ServeAsync(stage, name);
    }

    [Check("BUG-081", Needs = CheckNeeds.Unix)]
    public static async Task Names_that_do_not_fit_are_refused_at_the_call_and_the_longest_work(KernelStage stage)
    {
        // In bytes, not characters: 53 of two bytes each and one more.
        var folder = PathOf(stage)[..(PathOf(stage).LastIndexOf('/') + 1)];
        var longest = folder + new string('p', 107 - folder.Length);
        var wide = folder + new string('é', (107 - folder.Length) / 2) + ((107 - folder.Length) % 2 == 0 ? "" : "p");
        var abstractName = NameOf(stage.CreateAbstractAddress());
        abstractName += new string('a', 108 - abstractName.Length);

        foreach (var name in (string[])[longest[..^1], longest, wide, abstractName])
        {
            await using var server = await ServeAsync(stage, name);
            Check.Equal(new UnixDomainSocketEndPoint(name), server.EndPoints[0]);
            await ExchangeAsync(stage, server.EndPoints[0]);
        }

        foreach (var name in (string[])[longest + "p", longest + "pp", wide + "é", abstractName + "a", folder + "nul\0inside", folder + "nul\0", ""])
        {
            Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateUnixServerAsync(() => new RecordingProtocol(), name); });
            Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), name); });
        }

        var hidden = new UnixDomainSocketEndPoint(folder + "nul\0inside");
        Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateServerAsync(() => new RecordingProtocol(), hidden); });
        Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), hidden); });
    }

    private static Task<Server> ServeAsync(KernelStage stage, string path, ServerOptions? options = null) =>
        stage.Loop.CreateUnixServerAsync(() => stage.Watch(RecordingProtocol.Echo()), path, options);

    private static async Task RefusesAsync(KernelStage stage, string path)
    {
        var failure = await Check.ThrowsAsync<SocketException>(() => ServeAsync(stage, path));
        Check.Equal(SocketError.AddressAlreadyInUse, failure.SocketErrorCode);
        Check.Equal($"Address '{path}' is already in use", failure.Message);
    }

    private static async Task ExchangeAsync(KernelStage stage, EndPoint address)
    {
        var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address);
        transport.Write("hello"u8);
        await client.WaitForBytesAsync(5);
        transport.Close();
        Check.That(await client.Lost is null);
    }

    private static string PathOf(KernelStage stage) => stage.CreateListenAddress().ToString()!;

    private static string NameOf(UnixDomainSocketEndPoint address) => "\0" + address.ToString()![1..];
}
