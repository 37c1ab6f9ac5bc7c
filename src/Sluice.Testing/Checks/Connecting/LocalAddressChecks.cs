using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>Connects from a local address.</summary>
internal static class LocalAddressChecks
{
    [Check("CONN-022", Needs = CheckNeeds.Tcp)]
    public static async Task The_connection_comes_from_the_local_address(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);

        // IPv6 has one loopback address only.
        var local = target.Address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Parse("127.0.2.7") : target.Address;
        var (transport, protocol) = await target.ConnectAsync(new ConnectionOptions { LocalEndPoint = new IPEndPoint(local, 0) });

        var name = (IPEndPoint)transport.GetExtraInfo(ExtraInfo.SocketName)!;
        Check.Equal(local, name.Address);
        Check.That(name.Port > 0);
        await stage.UntilAsync(() => target.Served.Count == 1);
        await target.Served[0].Made;
        Check.Equal(name, target.Served[0].Transport.GetExtraInfo(ExtraInfo.PeerName));
        await target.CloseAsync(transport, protocol);
    }

    [Check("CONN-023", Needs = CheckNeeds.Tcp)]
    public static async Task Local_addresses_of_another_family_are_passed_over(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var foreign = target.Address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        stage.Names.Add("local.test", foreign, target.Address);

        var (transport, protocol) = await target.ConnectAsync(new ConnectionOptions { LocalEndPoint = new DnsEndPoint("local.test", 0) });
        Check.Equal(target.Address, ((IPEndPoint)transport.GetExtraInfo(ExtraInfo.SocketName)!).Address);
        transport.Close();
        await protocol.Lost;

        var failure = await Check.ThrowsAsync<SocketException>(
            () => target.ConnectAsync(new ConnectionOptions { LocalEndPoint = new IPEndPoint(foreign, 0) }));
        Check.That(failure.Message.Contains("no local address of its family", StringComparison.Ordinal), failure.Message);
        await target.CloseAsync();
    }

    [Check("CONN-024", Needs = CheckNeeds.Tcp)]
    public static async Task A_local_address_in_use_is_named_in_the_error(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);

        var failure = await Check.ThrowsAsync<SocketException>(
            () => target.ConnectAsync(new ConnectionOptions { LocalEndPoint = target.EndPoint }));

        Check.Equal(SocketError.AddressAlreadyInUse, failure.SocketErrorCode);
        Check.Equal($"error while attempting to bind on address {target.EndPoint}: Address already in use", failure.Message);
        await target.CloseAsync();
    }

    [Check("CONN-022", "CONN-025", Needs = CheckNeeds.Tcp)]
    public static async Task Local_addresses_are_tried_in_order_and_each_failure_is_kept(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var nobodys = IPAddress.Parse("192.0.2.1");
        stage.Names.Add("local.test", nobodys, IPAddress.Loopback);
        var options = new ConnectionOptions { LocalEndPoint = new DnsEndPoint("local.test", 0) };
        var refusing = target.Refusing();
        string[] expected =
        [
            $"error while attempting to bind on address {nobodys}:0: Cannot assign requested address",
            $"connect to {refusing}:{target.Port}: Connection refused",
        ];

        var failure = await Check.ThrowsAsync<ConnectionFailedException>(() => target.ConnectAsync(options, default, refusing));
        Check.Equal(SocketError.AddressNotAvailable, failure.SocketErrorCode);
        Check.Equal($"Multiple exceptions: {expected[0]}, {expected[1]}", failure.Message);

        var all = await Check.ThrowsAsync<AggregateException>(() => target.ConnectAsync(options with { AllErrors = true }, default, refusing));
        Check.Trace([.. all.InnerExceptions.Select(inner => inner.Message)], expected);

        if (target.Address.AddressFamily == AddressFamily.InterNetwork)
        {
            var (transport, protocol) = await target.ConnectAsync(options);
            Check.Equal(IPAddress.Loopback, ((IPEndPoint)transport.GetExtraInfo(ExtraInfo.SocketName)!).Address);
            transport.Close();
            await protocol.Lost;
        }

        await target.CloseAsync();
    }
}
