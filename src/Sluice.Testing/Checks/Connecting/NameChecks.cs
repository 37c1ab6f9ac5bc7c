using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>Names of hosts and addresses.</summary>
internal static class NameChecks
{
    [Check("DNS-001", "CONN-002")]
    public static async Task The_addresses_of_a_host_come_in_the_resolver_s_order(KernelStage stage)
    {
        IPAddress[] addresses = [IPAddress.Parse("10.9.8.7"), IPAddress.Parse("fd09::1"), IPAddress.Parse("10.9.8.6")];
        stage.Names.Add("many.test", addresses);

        Check.Trace(await AskAsync("many.test"), "10.9.8.7:80", "[fd09::1]:80", "10.9.8.6:80");
        Check.Trace(await AskAsync("many.test", AddressFamily.InterNetwork), "10.9.8.7:80", "10.9.8.6:80");
        Check.Trace(await AskAsync("many.test", AddressFamily.InterNetworkV6), "[fd09::1]:80");
        Check.Equal(3, stage.Names.Questions.Count);

        Check.Trace(await AskAsync("10.1.2.3"), "10.1.2.3:80");
        Check.Trace(await AskAsync(null), "[::1]:80", "127.0.0.1:80");
        Check.Trace(await AskAsync(null, AddressFamily.InterNetwork), "127.0.0.1:80");
        Check.Equal(1, (await stage.Loop.GetAddressInfoAsync("fe80::1%1", 80)).Single().Address.ScopeId);
        Check.Equal(3, stage.Names.Questions.Count, "literals were asked for");

        await Check.ThrowsAsync<SocketException>(() => stage.Loop.GetAddressInfoAsync("10.1.2.3", 80, AddressFamily.InterNetworkV6));
        Check.Equal(4, stage.Names.Questions.Count, "a literal of another family was not asked for");

        async Task<string[]> AskAsync(string? host, AddressFamily family = AddressFamily.Unspecified) =>
            [.. (await stage.Loop.GetAddressInfoAsync(host, 80, family)).Select(address => address.ToString())];
    }

    [Check("DNS-003")]
    public static async Task A_resolver_s_failure_comes_out_of_the_call(KernelStage stage)
    {
        var unknown = await Check.ThrowsAsync<SocketException>(() => stage.Loop.GetAddressInfoAsync("unknown.test", 80));
        Check.Equal(SocketError.HostNotFound, unknown.SocketErrorCode);

        stage.Names.Add("throws.test", (_, _) => throw new FormatException());
        await Check.ThrowsAsync<FormatException>(() => stage.Loop.GetAddressInfoAsync("throws.test", 80));
        stage.Names.Add("fails.test", (_, _) => Task.FromException<IReadOnlyList<IPAddress>>(new TimeoutException()));
        await Check.ThrowsAsync<TimeoutException>(() => stage.Loop.GetAddressInfoAsync("fails.test", 80));
        stage.Names.Add("null.test", (_, _) => null!);
        await Check.ThrowsAsync<InvalidOperationException>(() => stage.Loop.GetAddressInfoAsync("null.test", 80));
        stage.Names.Add("null-answer.test", (_, _) => Task.FromResult<IReadOnlyList<IPAddress>>(null!));
        await Check.ThrowsAsync<InvalidOperationException>(() => stage.Loop.GetAddressInfoAsync("null-answer.test", 80));

        Check.Throws<ArgumentException>(() => { _ = stage.Loop.GetAddressInfoAsync("many.test", 80, AddressFamily.Unix); });
    }

    [Check("BUG-051", "DNS-004")]
    public static Task A_name_that_would_be_cut_or_cannot_be_is_refused_at_the_call(KernelStage stage)
    {
        string[] impossible =
        [
            string.Empty, "127.0.0.1" + new string(' ', 300), "127.0.0.1\0.example", "127.0.0.1." + new string('0', 255),
            new string('a', 64) + ".test", "a..test", ".test", string.Join('.', Enumerable.Repeat(new string('a', 60), 5)),
            "two words.test", "line\n.test", "[::1]", "\ud800.test", "b\u00fccher\0.test", new string('\u00fc', 80) + ".test",
        ];
        foreach (var host in impossible)
        {
            Check.Throws<ArgumentException>(() => { _ = stage.Loop.GetAddressInfoAsync(host, 80); });
            Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), host, 80); });
            if (host.Length > 0)
            {
                Check.Throws<ArgumentException>(() => { _ = stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), new DnsEndPoint(host, 80)); });
            }
        }

        Check.Equal(0, stage.Names.Questions.Count, "a refused name was asked for");
        return Task.CompletedTask;
    }

    [Check("BUG-051")]
    public static async Task Names_up_to_the_limits_are_asked_for_whole(KernelStage stage)
    {
        var longest = string.Join('.', Enumerable.Repeat(new string('a', 63), 3)) + "." + new string('b', 61);
        foreach (var (host, asked) in ((string, string)[])[(longest, longest), (longest + ".", longest + "."), ("b\u00fccher.test", "xn--bcher-kva.test")])
        {
            stage.Names.Add(asked, IPAddress.Loopback);
            Check.Equal(IPAddress.Loopback, (await stage.Loop.GetAddressInfoAsync(host, 80)).Single().Address);
        }
    }

    [Check("DNS-007")]
    public static async Task An_address_has_a_name_or_its_digits(KernelStage stage)
    {
        var named = await stage.Loop.GetNameInfoAsync(new IPEndPoint(IPAddress.Loopback, 80));
        Check.Equal(new DnsEndPoint("stage.test", 80), named);

        foreach (var address in (IPEndPoint[])[new(IPAddress.Parse("10.9.8.7"), 81), new(IPAddress.Parse("fd09::1"), 82)])
        {
            Check.Equal(new DnsEndPoint(address.Address.ToString(), address.Port), await stage.Loop.GetNameInfoAsync(address));
        }

        Check.Throws<ArgumentNullException>(() => { _ = stage.Loop.GetNameInfoAsync(null!); });
    }

    [Check("DNS-003", "CONN-020")]
    public static async Task A_question_that_nobody_waits_for_any_more_is_cancelled(KernelStage stage)
    {
        var answer = new TaskCompletionSource<IReadOnlyList<IPAddress>>();
        CancellationToken seen = default;
        stage.Names.Add("slow.test", (_, token) =>
        {
            seen = token;
            token.Register(static () => throw new FormatException());
            return answer.Task;
        });
        foreach (var ask in (Func<CancellationToken, Task>[])
        [
            token => stage.Loop.GetAddressInfoAsync("slow.test", 80, cancellationToken: token),
            token => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), "slow.test", 80, cancellationToken: token),
        ])
        {
            using var giveUp = new CancellationTokenSource();
            var asking = ask(giveUp.Token);
            await stage.PassesAsync(2);
            Check.That(!asking.IsCompleted && !seen.IsCancellationRequested);

            giveUp.Cancel();
            var cancelled = await Check.ThrowsAsync<OperationCanceledException>(() => asking);

            Check.Equal(giveUp.Token, cancelled.CancellationToken);
            await stage.PassesAsync(2);
            Check.That(seen.IsCancellationRequested, "the resolver was not told");
            Check.That(stage.ClaimReport().Exception is AggregateException { InnerException: FormatException });
        }

        answer.SetResult([IPAddress.Loopback]);
        await stage.SettleAsync();
    }
}
