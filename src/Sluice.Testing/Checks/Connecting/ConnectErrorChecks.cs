using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>What a connect says that fails.</summary>
internal static class ConnectErrorChecks
{
    [Check("CONN-014", "CONN-015")]
    public static async Task One_failure_comes_out_as_it_is(KernelStage stage)
    {
        var listener = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), stage.CreateListenAddress());
        var address = listener.EndPoints[0];
        listener.Close();

        var failure = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), address));

        // The file of a Unix socket goes with its server.
        var (code, text) = stage.IsTcp
            ? (SocketError.ConnectionRefused, "Connection refused")
            : (SocketError.AddressNotAvailable, "No such file or directory");
        Check.Equal(typeof(SocketException), failure.GetType());
        Check.Equal(code, failure.SocketErrorCode);
        Check.Equal($"connect to {address}: {text}", failure.Message);

        var all = await Check.ThrowsAsync<AggregateException>(
            () => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), address, new ConnectionOptions { AllErrors = true }));
        Check.Equal(failure.Message, all.InnerExceptions.Single().Message);
    }

    [Check("CONN-016", Needs = CheckNeeds.Tcp)]
    public static async Task Several_failures_are_one_that_names_each(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var (first, second) = (target.Refusing(), target.Refusing());

        var failure = await Check.ThrowsAsync<ConnectionFailedException>(() => target.ConnectAsync(null, default, first, second));

        Check.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
        Check.Equal(
            $"Multiple exceptions: connect to {first}:{target.Port}: Connection refused, connect to {second}:{target.Port}: Connection refused",
            failure.Message);
        Check.Equal(2, failure.Failures.Count);

        var same = await Check.ThrowsAsync<SocketException>(() => target.ConnectAsync(null, default, first, first));
        Check.Equal($"connect to {first}:{target.Port}: Connection refused", same.Message);
        await target.CloseAsync();
    }

    [Check("CONN-017", "CONN-035", Needs = CheckNeeds.Tcp)]
    public static async Task All_errors_come_in_the_order_of_the_attempts(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        IPAddress[] addresses = [target.Refusing(), target.Refusing(), target.Refusing()];
        foreach (var delay in (TimeSpan?[])[null, TimeSpan.Zero, TimeSpan.FromHours(1)])
        {
            var options = new ConnectionOptions { AllErrors = true, HappyEyeballsDelay = delay };

            var failure = await Check.ThrowsAsync<AggregateException>(() => target.ConnectAsync(options, default, addresses));

            Check.Trace(
                [.. failure.InnerExceptions.Select(inner => inner.Message)],
                addresses.Select(address => $"connect to {address}:{target.Port}: Connection refused"));
        }

        await target.CloseAsync();
    }

    [Check("CONN-019", Needs = CheckNeeds.Tcp)]
    public static async Task What_is_no_failure_of_an_address_ends_the_connect_at_once(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        using (var giveUp = new CancellationTokenSource())
        {
            var connect = target.ConnectAsync(null, giveUp.Token, target.Silent(), target.Address);
            await stage.PassesAsync(5);
            giveUp.Cancel();
            var cancelled = await Check.ThrowsAsync<OperationCanceledException>(() => connect);
            Check.Equal(giveUp.Token, cancelled.CancellationToken);
        }

        stage.Names.Add("broken.test", (_, _) => throw new FormatException());
        await Check.ThrowsAsync<FormatException>(() => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), "broken.test", target.Port));

        await stage.SettleAsync();
        Check.Equal(0, target.Served.Count, "connections after the end of the call");
        await target.CloseAsync();
    }

    [Check("CONN-013", "DNS-003", Needs = CheckNeeds.Tcp)]
    public static async Task A_name_without_addresses_is_not_found(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        stage.Names.Add("empty.test");
        foreach (var name in (string[])["empty.test", "unknown.test"])
        {
            var remote = await Check.ThrowsAsync<SocketException>(
                () => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), name, target.Port));
            Check.Equal(SocketError.HostNotFound, remote.SocketErrorCode);
            Check.That(remote.Message.StartsWith("look up ", StringComparison.Ordinal), remote.Message);

            var local = await Check.ThrowsAsync<SocketException>(
                () => target.ConnectAsync(new ConnectionOptions { LocalEndPoint = new DnsEndPoint(name, 0) }));
            Check.Equal(SocketError.HostNotFound, local.SocketErrorCode);
        }

        await target.CloseAsync();
    }
}
