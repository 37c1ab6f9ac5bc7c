using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Connecting;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Connecting;

/// <summary>Races that no kernel has a part in.</summary>
public sealed class ConnectRaceTests
{
    [Fact, Case("CONN-031", "CONN-036")]
    public void A_race_without_addresses_has_no_winner_and_no_failure()
    {
        using var rig = new LoopRig();
        var heard = new RaceLog();

        rig.Step(() => new ConnectRace(rig.Loop, [], null, new ConnectionOptions { HappyEyeballsDelay = TimeSpan.Zero }, heard).Start());

        Assert.Equal(["lost: "], heard.Lines);
    }

    [Fact, Case("CONN-023")]
    public void Addresses_without_a_local_one_of_their_family_fail_one_after_the_other_at_once()
    {
        using var rig = new LoopRig();
        var heard = new RaceLog();
        IPEndPoint[] remotes = [new(IPAddress.Parse("10.0.0.1"), 80), new(IPAddress.Parse("10.0.0.2"), 80)];

        rig.Step(() => new ConnectRace(rig.Loop, remotes, [new IPEndPoint(IPAddress.IPv6Any, 0)], new ConnectionOptions(), heard).Start());

        var family = "no local address of its family (InterNetwork) was given";
        Assert.Equal([$"lost: connect to 10.0.0.1:80: {family}, connect to 10.0.0.2:80: {family}"], heard.Lines);
    }

    [Fact, Case("CONN-019")]
    public void What_no_address_is_to_blame_for_ends_the_race()
    {
        using var rig = new LoopRig();
        var heard = new RaceLog();
        IPEndPoint[] remotes = [new(IPAddress.Parse("10.0.0.1"), 80), new(IPAddress.Parse("10.0.0.2"), 80)];

        // The scripted kernel cannot connect, and says so by throwing.
        rig.Step(() => new ConnectRace(rig.Loop, remotes, null, new ConnectionOptions { HappyEyeballsDelay = TimeSpan.Zero }, heard).Start());
        rig.Pass(3);

        Assert.Equal(["broken: NotSupportedException"], heard.Lines);
        Assert.Null(rig.Loop.NextTimer);
    }

    private sealed class RaceLog : IRaceSink
    {
        public List<string> Lines { get; } = [];

        public void OnWon(StreamChannel channel) => Lines.Add("won");

        public void OnLost(IReadOnlyList<SocketException> failures) => Lines.Add($"lost: {string.Join(", ", failures.Select(failure => failure.Message))}");

        public void OnBroken(Exception reason) => Lines.Add($"broken: {reason.GetType().Name}");
    }
}
