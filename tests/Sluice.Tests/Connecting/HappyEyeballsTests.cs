using System.Net;

namespace Sluice.Tests.Connecting;

/// <summary>When each address is tried, to the tick.</summary>
public sealed class HappyEyeballsTests : IDisposable
{
    private static readonly ConnectionOptions Racing = new() { HappyEyeballsDelay = TimeSpan.FromMilliseconds(250), Interleave = 0 };

    private readonly DialRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact, Case("CONN-034")]
    public void Slow_attempts_are_one_delay_apart_until_one_succeeds()
    {
        var outcome = _rig.Connect(Racing, _rig.Silent("10.9.0.1"), _rig.Silent("fd09::1"), _rig.Server.Address, _rig.Server.AddressV6);

        Assert.Equal(_rig.Server.Address.ToString(), outcome);
        Assert.Equal(["10.9.0.1 0 ms", "fd09::1 250 ms", "10.0.0.2 500 ms"], _rig.Starts);
    }

    [Fact, Case("CONN-033")]
    public void A_failure_starts_the_next_at_once_and_the_delay_anew()
    {
        var outcome = _rig.Connect(Racing, IPAddress.Parse("10.9.0.1"), _rig.Silent("10.9.0.2"), IPAddress.Parse("10.9.0.3"), _rig.Server.Address);

        Assert.Equal(_rig.Server.Address.ToString(), outcome);
        Assert.Equal(["10.9.0.1 0 ms", "10.9.0.2 10 ms", "10.9.0.3 260 ms", "10.0.0.2 270 ms"], _rig.Starts);
    }

    [Fact, Case("CONN-033")]
    public void A_failure_of_an_older_attempt_does_not_hurry_the_next()
    {
        var options = Racing with { HappyEyeballsDelay = TimeSpan.FromMilliseconds(7) };

        _rig.Connect(options, IPAddress.Parse("10.9.0.1"), _rig.Silent("10.9.0.2"), _rig.Server.Address);

        Assert.Equal(["10.9.0.1 0 ms", "10.9.0.2 7 ms", "10.0.0.2 14 ms"], _rig.Starts);
    }

    [Fact, Case("CONN-034")]
    public void An_older_attempt_may_still_win()
    {
        var options = Racing with { HappyEyeballsDelay = TimeSpan.FromMilliseconds(4) };

        var outcome = _rig.Connect(options, _rig.Server.AddressV6, _rig.Server.Address, _rig.Silent("10.9.0.1"), _rig.Silent("10.9.0.2"));

        Assert.Equal(_rig.Server.AddressV6.ToString(), outcome);
        Assert.Equal(["fd00::2 0 ms", "10.0.0.2 4 ms", "10.9.0.1 8 ms"], _rig.Starts);
    }

    [Fact, Case("CONN-018", "CONN-034")]
    public void Without_a_delay_each_attempt_runs_to_its_end()
    {
        var outcome = _rig.Connect(new ConnectionOptions(), _rig.Silent("10.9.0.1"), IPAddress.Parse("fd09::1"), _rig.Server.Address, _rig.Server.AddressV6);

        Assert.Equal(_rig.Server.Address.ToString(), outcome);
        Assert.Equal(["10.9.0.1 0 ms", "fd09::1 127000 ms", "10.0.0.2 127010 ms"], _rig.Starts);
    }

    [Theory, Case("CONN-030")]
    [InlineData(250, null, "10.9.0.1 fd09::1 10.9.0.2 fd09::2 10.9.0.3")]
    [InlineData(250, 0, "10.9.0.1 10.9.0.2 10.9.0.3 fd09::1 fd09::2")]
    [InlineData(250, 2, "10.9.0.1 10.9.0.2 fd09::1 10.9.0.3 fd09::2")]
    [InlineData(null, null, "10.9.0.1 10.9.0.2 10.9.0.3 fd09::1 fd09::2")]
    [InlineData(null, 1, "10.9.0.1 fd09::1 10.9.0.2 fd09::2 10.9.0.3")]
    public void The_families_take_turns_in_a_race_or_where_it_is_asked_for(int? delay, int? interleave, string expected)
    {
        var options = new ConnectionOptions
        {
            HappyEyeballsDelay = delay is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
            Interleave = interleave,
        };

        var outcome = _rig.Connect(
            options,
            IPAddress.Parse("10.9.0.1"), IPAddress.Parse("10.9.0.2"), IPAddress.Parse("10.9.0.3"), IPAddress.Parse("fd09::1"), IPAddress.Parse("fd09::2"));

        Assert.StartsWith("Multiple exceptions: connect to 10.9.0.1:80: No route to host, ", outcome);
        Assert.Equal(expected, string.Join(' ', _rig.Starts.Select(start => start.Split(' ')[0])));
    }

    [Fact, Case("CONN-025")]
    public void A_failed_bind_of_one_family_and_a_failed_connect_of_the_other_are_both_named()
    {
        _rig.Simulation.AddName("here", IPAddress.Parse("fd09::9"), _rig.Client.Address);
        foreach (var delay in (TimeSpan?[])[null, TimeSpan.FromMilliseconds(250)])
        {
            var options = new ConnectionOptions { LocalEndPoint = new DnsEndPoint("here", 0), HappyEyeballsDelay = delay };

            var outcome = _rig.Connect(options, _rig.Server.AddressV6, IPAddress.Parse("10.9.0.1"));

            Assert.Equal(
                "Multiple exceptions: error while attempting to bind on address [fd09::9]:0: Cannot assign requested address, "
                + "connect to 10.9.0.1:80: No route to host",
                outcome);
        }
    }

    [Fact, Case("CONN-035")]
    public void Failures_come_in_the_order_of_the_attempts_not_of_their_ends()
    {
        var outcome = _rig.Connect(Racing, _rig.Silent("10.9.0.1"), IPAddress.Parse("10.9.0.2"));

        Assert.Equal("Multiple exceptions: connect to 10.9.0.1:80: Connection timed out, connect to 10.9.0.2:80: No route to host", outcome);
    }
}
