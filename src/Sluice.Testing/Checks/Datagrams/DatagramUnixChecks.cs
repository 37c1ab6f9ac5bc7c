using System.Net.Sockets;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>Datagrams between Unix sockets.</summary>
internal static class DatagramUnixChecks
{
    [Check("UDP-041", Needs = CheckNeeds.Unix)]
    public static async Task The_receiver_sees_the_path_of_the_sender(KernelStage stage)
    {
        var one = await stage.Datagrams.OpenAsync();
        var other = await stage.Datagrams.OpenAsync();
        one.Send("question"u8, other);
        await other.Protocol.WaitForDatagramsAsync(1);
        Check.Equal(one.Address, other.Protocol.Datagrams[0].Address);
        other.Transport.SendTo("answer"u8, other.Protocol.Datagrams[0].Address);
        await one.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-042", "UDP-041", Needs = CheckNeeds.Unix)]
    public static async Task A_sender_without_a_name_has_no_address(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var client = await stage.Datagrams.OpenAsync(remote: server.Address);
        client.Send("anonymous"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
        Check.That(server.Protocol.Datagrams[0].Address is null);
    }

    [Check("UDP-042", "UDP-026", Needs = CheckNeeds.Unix)]
    public static async Task A_pair_without_names_is_connected(KernelStage stage)
    {
        var (first, second) = stage.Datagrams.CreateUnnamedPair();
        var near = await stage.Datagrams.AdoptAsync(first);
        var far = await stage.Datagrams.AdoptAsync(second, RecordingDatagramProtocol.Echo());
        near.Send("there and back"u8);
        await near.Protocol.WaitForDatagramsAsync(1);
        Check.Bytes("there and back"u8, near.Protocol.Datagrams[0].Data.Span);
        Check.That(near.Protocol.Datagrams[0].Address is null);
        var stranger = await stage.Datagrams.OpenAsync();
        Check.Throws<ArgumentException>(() => near.Send("x"u8, stranger));
    }

    [Check("UDP-040", "BUG-078", Needs = CheckNeeds.Unix)]
    public static async Task A_stale_socket_is_replaced_and_nothing_else(KernelStage stage)
    {
        var stale = stage.Datagrams.CreateAddress();
        stage.PutStaleSocket(stale.ToString()!);
        var end = await stage.Datagrams.OpenAsync(stale);
        await RefusesAsync(stale.ToString()!);
        var client = await stage.Datagrams.ConnectAsync(stale);
        client.Send("still mine"u8);
        await end.Protocol.WaitForDatagramsAsync(1);

        var regular = stage.Datagrams.CreateAddress().ToString()!;
        stage.PutFile(regular);
        await RefusesAsync(regular);

        async Task RefusesAsync(string path)
        {
            var identity = stage.IdentityOf(path);
            var refused = await Check.ThrowsAsync<SocketException>(() =>
                stage.Loop.CreateDatagramEndpointAsync(() => new RecordingDatagramProtocol(), new UnixDomainSocketEndPoint(path)));
            Check.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
            Check.That(Equals(identity, stage.IdentityOf(path)), "the file was touched");
        }
    }

    [Check("UDP-040", "BUG-078", Needs = CheckNeeds.Unix)]
    public static async Task The_path_of_a_stream_server_is_left_alone_and_takes_no_datagram(KernelStage stage)
    {
        var address = stage.CreateListenAddress();
        await using var server = await stage.Loop.CreateServerAsync(() => new RecordingProtocol(), address);
        await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateDatagramEndpointAsync(() => new RecordingDatagramProtocol(), address));
        var client = await stage.Datagrams.OpenAsync();
        client.Transport.SendTo("x"u8, address);
        await client.Protocol.WaitForErrorsAsync(1);
        Check.That(client.Protocol.Errors[0] is SocketException);
    }

    [Check("UDP-040", "BUG-079", Needs = CheckNeeds.Unix)]
    public static async Task An_endpoint_removes_the_file_that_it_made_and_no_other(KernelStage stage)
    {
        var end = await stage.Datagrams.OpenAsync();
        var path = end.Address.ToString()!;
        Check.That(stage.IdentityOf(path) is not null);
        end.Transport.Close();
        await end.Protocol.Lost;
        await stage.SettleAsync();
        Check.That(stage.IdentityOf(path) is null);

        var robbed = await stage.Datagrams.OpenAsync();
        path = robbed.Address.ToString()!;
        stage.RemoveFile(path);
        stage.PutFile(path);
        robbed.Transport.Close();
        await robbed.Protocol.Lost;
        await stage.SettleAsync();
        Check.That(stage.IdentityOf(path) is not null);
    }

    [Check("UDP-041", Needs = CheckNeeds.Unix)]
    public static async Task An_abstract_name_is_an_address_too(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync(stage.CreateAbstractAddress());
        var client = await stage.Datagrams.ConnectAsync(server.Address);
        client.Send("no file"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-041", Needs = CheckNeeds.Unix)]
    public static async Task A_path_without_a_socket_cannot_be_connected_to(KernelStage stage)
    {
        var nowhere = stage.Datagrams.CreateAddress();
        await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateDatagramEndpointAsync(() => new RecordingDatagramProtocol(), remote: nowhere));
        stage.PutStaleSocket(nowhere.ToString()!);
        var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateDatagramEndpointAsync(() => new RecordingDatagramProtocol(), remote: nowhere));
        Check.That(refused.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ProtocolType);
    }
}
