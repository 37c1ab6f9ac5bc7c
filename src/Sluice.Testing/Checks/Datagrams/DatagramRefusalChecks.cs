using System.Net.Sockets;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>What endpoints hear of receivers that are not there.</summary>
internal static class DatagramRefusalChecks
{
    [Check("UDP-039", "BUG-073", Needs = CheckNeeds.Tcp)]
    public static async Task Each_refusal_is_told_to_a_connected_endpoint_which_stays_usable(KernelStage stage)
    {
        var nobody = stage.Datagrams.CreateUnusedAddress();
        var client = await stage.Datagrams.OpenAsync(remote: nobody);
        for (var i = 1; i <= 3; i++)
        {
            client.Send("anybody?"u8);
            await client.Protocol.WaitForErrorsAsync(i);
            Check.That(client.Protocol.Errors[i - 1] is SocketException { SocketErrorCode: SocketError.ConnectionRefused });
        }

        var server = await stage.Datagrams.OpenAsync(nobody);
        client.Send("now"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
        server.Send("yes"u8, client);
        await client.Protocol.WaitForDatagramsAsync(1);
        Check.That(!client.Transport.IsClosing);
        Check.Equal(3, client.Protocol.Errors.Count);
    }

    [Check("UDP-039", Needs = CheckNeeds.Tcp)]
    public static async Task An_endpoint_without_a_peer_hears_of_no_refusal(KernelStage stage)
    {
        var nobody = stage.Datagrams.CreateUnusedAddress();
        var client = await stage.Datagrams.OpenAsync();
        for (var i = 0; i < 5; i++) client.Transport.SendTo("anybody?"u8, nobody);
        await stage.SettleAsync();
        Check.Trace(client.Protocol.Trace, "ConnectionMade");
    }

    [Check("UDP-039", "UDP-045", Needs = CheckNeeds.Tcp)]
    public static async Task What_ErrorReceived_throws_at_a_refusal_is_reported(KernelStage stage)
    {
        var nobody = stage.Datagrams.CreateUnusedAddress();
        var client = await stage.Datagrams.OpenAsync(remote: nobody, protocol: new RecordingDatagramProtocol { OnError = static _ => throw new FormatException() });
        client.Send("anybody?"u8);
        await client.Protocol.WaitForErrorsAsync(1);
        Check.That(stage.ClaimReport() is { Exception: FormatException, Message: "Exception in callback protocol.ErrorReceived()" });
        Check.That(!client.Transport.IsClosing);
    }

    [Check("UDP-039", "BUG-073", Needs = CheckNeeds.Tcp)]
    public static async Task A_peer_that_comes_back_is_heard_again(KernelStage stage)
    {
        var place = stage.Datagrams.CreateUnusedAddress();
        var first = await stage.Datagrams.OpenAsync(place);
        var client = await stage.Datagrams.OpenAsync(remote: place);
        client.Send("one"u8);
        await first.Protocol.WaitForDatagramsAsync(1);
        first.Transport.Close();
        await first.Protocol.Lost;
        client.Send("two"u8);
        await client.Protocol.WaitForErrorsAsync(1);

        var second = await stage.Datagrams.OpenAsync(place);
        client.Send("three"u8);
        await second.Protocol.WaitForDatagramsAsync(1);
        second.Send("four"u8, client);
        await client.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-011", "BUG-073", Needs = CheckNeeds.Unix)]
    public static async Task A_Unix_path_without_a_socket_is_told_and_the_others_arrive(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var client = await stage.Datagrams.OpenAsync();
        client.Send("before"u8, server);
        client.Transport.SendTo("lost"u8, stage.Datagrams.CreateAddress());
        client.Send("behind"u8, server);
        await client.Protocol.WaitForErrorsAsync(1);
        await server.Protocol.WaitForDatagramsAsync(2);
        Check.That(client.Protocol.Errors.Single() is SocketException);
        Check.Bytes("behind"u8, server.Protocol.Datagrams[1].Data.Span);
    }

    [Check("UDP-011", "BUG-073", Needs = CheckNeeds.Unix)]
    public static async Task A_Unix_peer_that_has_gone_is_told_and_the_endpoint_lives(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        server.Transport.Close();
        await server.Protocol.Lost;
        await stage.SettleAsync();
        client.Send("anybody?"u8);
        await client.Protocol.WaitForErrorsAsync(1);
        Check.That(client.Protocol.Errors[0] is SocketException { SocketErrorCode: SocketError.ConnectionRefused });
        client.Send("anybody?"u8);
        await client.Protocol.WaitForErrorsAsync(2);
        Check.That(!client.Transport.IsClosing);
    }
}
