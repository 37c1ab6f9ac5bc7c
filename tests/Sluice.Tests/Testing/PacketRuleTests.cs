using System.Net;
using System.Net.Sockets;
using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>Rules judge packets: every verdict on every kind.</summary>
public sealed class PacketRuleTests
{
    [Fact]
    public void A_rule_sees_every_packet_of_a_connection_with_its_ends()
    {
        using var world = new ClientAndServer();
        var seen = new List<PacketInfo>();
        world.Simulation.AddRule(packet =>
        {
            seen.Add(packet);
            return Verdict.Pass;
        });
        world.Connect();
        world.Connected.Transport.Write("hello"u8);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(10));
        world.Connected.Transport.Close();
        world.RunUntilLost(world.Accepted);

        Assert.Equal(
            ["client Connect 0", "server Accepted 0", "client Data 5", "client Fin 0", "server Fin 0"],
            seen.Select(packet => $"{packet.From.Name} {packet.Kind} {packet.Length}"));
        var (client, server) = (new IPEndPoint(world.Client.Address, 32768), new IPEndPoint(world.Server.Address, 80));
        Assert.All(seen, packet => Assert.Equal(packet.From == world.Client ? (client, server) : (server, client), ((IPEndPoint)packet.Source, (IPEndPoint)packet.Destination)));
        Assert.All(seen, packet => Assert.NotEqual(packet.From, packet.To));
        Assert.Equal(TimeSpan.FromMicroseconds(100), seen[1].Time - seen[0].Time);
    }

    [Theory]
    [InlineData(PacketKind.Connect)]
    [InlineData(PacketKind.Accepted)]
    public void A_connect_that_is_lost_once_is_made_a_second_later(PacketKind kind)
    {
        using var world = new ClientAndServer();
        world.Simulation.AddRule(Once(kind, Verdict.Drop));

        world.StartConnect();
        world.Simulation.RunUntil(() => world.Connected.Made.IsCompleted, TimeSpan.FromMinutes(1));

        Assert.Equal(TimeSpan.FromSeconds(1) + TimeSpan.FromMicroseconds(200), world.Simulation.Time);
    }

    [Theory]
    [InlineData(PacketKind.Connect)]
    [InlineData(PacketKind.Accepted)]
    public void A_connect_into_a_black_hole_times_out_as_on_Linux(PacketKind kind)
    {
        using var world = new ClientAndServer();
        world.Simulation.AddRule(packet => packet.Kind == kind ? Verdict.Drop : Verdict.Pass);

        world.Simulation.Run(world.Client, async loop =>
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(() => world.Connected, world.Server.Address.ToString(), 80));
            Assert.Equal(SocketError.TimedOut, error.SocketErrorCode);
        });

        Assert.Equal(TimeSpan.FromSeconds(127), world.Simulation.Time);
    }

    [Fact]
    public void A_connect_that_is_reset_is_refused()
    {
        using var world = new ClientAndServer();
        world.Simulation.AddRule(Once(PacketKind.Connect, Verdict.Reset));

        world.Simulation.Run(world.Client, async loop =>
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(() => world.Connected, world.Server.Address.ToString(), 80));
            Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        });
    }

    [Fact]
    public void An_answer_that_is_reset_breaks_the_accepted_connection_and_the_client_asks_again()
    {
        using var simulation = new Simulation(seed: 1, SimulationOptions.Faithful);
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var accepted = new List<RecordingProtocol>();
        server.Start(loop => loop.CreateServerAsync(
            () =>
            {
                accepted.Add(new RecordingProtocol());
                return accepted[^1];
            },
            "0.0.0.0",
            80));
        simulation.AddRule(Once(PacketKind.Accepted, Verdict.Reset));

        simulation.Run(client, async loop => await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "server", 80));
        simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(2, accepted.Count);
        Assert.Equal("ConnectionLost(SocketException ConnectionReset)", accepted[0].Trace[^1]);
        Assert.False(accepted[1].Lost.IsCompleted);
    }

    [Theory]
    [InlineData(PacketKind.Connect)]
    [InlineData(PacketKind.Accepted)]
    public void A_connect_can_be_slow(PacketKind kind)
    {
        using var world = new ClientAndServer();
        world.Simulation.AddRule(Once(kind, Verdict.DeliverAfter(TimeSpan.FromSeconds(20))));

        world.StartConnect();
        world.Simulation.RunUntil(() => world.Connected.Made.IsCompleted, TimeSpan.FromMinutes(1));

        Assert.Equal(TimeSpan.FromSeconds(20) + TimeSpan.FromMicroseconds(200), world.Simulation.Time);
    }

    [Fact]
    public void A_refusal_that_is_lost_leaves_the_client_asking()
    {
        using var world = new ClientAndServer();
        world.Simulation.AddRule(Once(PacketKind.Reset, Verdict.Drop));

        world.Simulation.Run(world.Client, async loop =>
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(() => world.Connected, world.Server.Address.ToString(), 81));
            Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        });

        Assert.Equal(TimeSpan.FromSeconds(1) + TimeSpan.FromMicroseconds(300), world.Simulation.Time);
    }

    [Fact]
    public void Lost_data_comes_later_and_in_order_with_what_was_sent_behind_it()
    {
        using var world = new ClientAndServer();
        world.Connect();
        world.Simulation.AddRule(Once(PacketKind.Data, Verdict.Drop));
        var sent = world.Simulation.Time;

        world.Connected.Transport.Write("one "u8);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(50));
        world.Connected.Transport.Write("two"u8);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(0, world.Accepted.Received.Length);
        world.Simulation.RunUntil(() => world.Accepted.Received.Length == 7, TimeSpan.FromMinutes(1));

        Assert.Equal("one two"u8, world.Accepted.Received);
        Assert.Equal(TimeSpan.FromMilliseconds(200) + TimeSpan.FromMicroseconds(100), world.Simulation.Time - sent);
    }

    [Fact]
    public void Lost_data_is_sent_ever_less_often_until_the_connection_times_out()
    {
        using var world = new ClientAndServer();
        world.Connect();
        var sent = world.Simulation.Time;
        var tries = new List<double>();
        world.Simulation.AddRule(packet =>
        {
            if (packet.Kind == PacketKind.Data) tries.Add((packet.Time - sent).TotalSeconds);
            return packet.Kind == PacketKind.Data ? Verdict.Drop : Verdict.Pass;
        });

        world.Connected.Transport.Write("never"u8);
        var took = world.RunUntilLost(world.Connected);

        Assert.Equal([0, 0.2, 0.6, 1.4, 3, 6.2, 12.6, 25.4, 51], tries.Select(time => Math.Round(time, 3)));
        Assert.Equal(60, took.TotalSeconds, 3);
        Assert.Equal("ConnectionLost(SocketException TimedOut)", world.Connected.Trace[^1]);
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
    }

    [Fact]
    public void A_connection_gives_up_after_fifteen_tries_whatever_its_patience()
    {
        using var world = new ClientAndServer(SimulationOptions.Faithful with { RetransmissionTimeout = TimeSpan.FromDays(30) });
        world.Connect();
        var tries = 0;
        world.Simulation.AddRule(packet =>
        {
            tries += packet.Kind == PacketKind.Data ? 1 : 0;
            return packet.Kind == PacketKind.Data ? Verdict.Drop : Verdict.Pass;
        });

        world.Connected.Transport.Write("never"u8);
        world.Simulation.RunUntil(() => world.Connected.Lost.IsCompleted);

        Assert.Equal(16, tries);
        Assert.Equal("ConnectionLost(SocketException TimedOut)", world.Connected.Trace[^1]);
    }

    [Fact]
    public void The_end_of_the_stream_is_sent_again_as_well()
    {
        using var world = new ClientAndServer();
        world.Connect();
        world.Simulation.AddRule(Once(PacketKind.Fin, Verdict.Drop));

        world.Connected.Transport.Close();
        var took = world.RunUntilLost(world.Accepted);

        Assert.Contains("EofReceived", world.Accepted.Trace);
        Assert.Equal(200, took.TotalMilliseconds, 1.0);
    }

    [Fact]
    public void A_reset_that_is_lost_stays_lost_and_the_peer_learns_of_it_when_it_sends()
    {
        using var world = new ClientAndServer();
        world.Connect();
        world.Simulation.AddRule(Once(PacketKind.Reset, Verdict.Drop));

        world.Connected.Transport.Abort();
        world.Simulation.RunFor(TimeSpan.FromHours(1));
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
        world.Accepted.Transport.Write("still there?"u8);
        world.RunUntilLost(world.Accepted);

        Assert.Equal("ConnectionLost(SocketException ConnectionReset)", world.Accepted.Trace[^1]);
    }

    [Theory]
    [InlineData(PacketKind.Data)]
    [InlineData(PacketKind.Fin)]
    public void A_box_in_between_can_reset_the_sender_alone(PacketKind kind)
    {
        using var world = new ClientAndServer();
        world.Connect();
        world.Simulation.AddRule(Once(kind, Verdict.Reset));

        if (kind == PacketKind.Data) world.Connected.Transport.Write("cut"u8);
        else world.Connected.Transport.WriteEof();
        world.RunUntilLost(world.Connected);
        world.Simulation.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal("ConnectionLost(SocketException ConnectionReset)", world.Connected.Trace[^1]);
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
    }

    [Theory]
    [InlineData(PacketKind.Data)]
    [InlineData(PacketKind.Fin)]
    [InlineData(PacketKind.Reset)]
    public void A_packet_can_be_late_and_what_follows_waits_for_it(PacketKind kind)
    {
        using var world = new ClientAndServer();
        world.Connect();
        world.Simulation.AddRule(Once(kind, Verdict.DeliverAfter(TimeSpan.FromSeconds(3))));

        world.Connected.Transport.Write("data"u8);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(1));
        if (kind == PacketKind.Reset) world.Connected.Transport.Abort();
        else world.Connected.Transport.Close();
        var took = world.RunUntilLost(world.Accepted);

        Assert.Equal("data"u8, world.Accepted.Received);
        Assert.Equal(3_000, took.TotalMilliseconds, 5.0);
    }

    [Fact]
    public void The_first_rule_that_objects_decides_and_a_rule_ends_when_it_is_disposed_of()
    {
        using var world = new ClientAndServer();
        world.Connect();
        var asked = 0;
        world.Simulation.AddRule(static _ => Verdict.Pass);
        using (world.Simulation.AddRule(static _ => Verdict.DeliverAfter(TimeSpan.Zero)))
        using (world.Simulation.AddRule(_ => Count(Verdict.Drop)))
        {
            world.Connected.Transport.Write("one"u8);
            world.Simulation.RunFor(TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, asked);
        }

        world.Simulation.AddRule(_ => Count(Verdict.Pass));
        world.Connected.Transport.Write("two"u8);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(1));

        Assert.Equal(1, asked);
        Assert.Equal("onetwo"u8, world.Accepted.Received);

        Verdict Count(Verdict verdict)
        {
            asked++;
            return verdict;
        }
    }

    [Fact]
    public void A_rule_that_throws_fails_the_run_and_lets_the_packet_pass()
    {
        using var world = new ClientAndServer();
        world.Connect();
        var rule = world.Simulation.AddRule(static _ => throw new FormatException("wrong"));

        world.Connected.Transport.Write("hello"u8);
        Assert.Throws<FormatException>(() => world.Simulation.RunFor(TimeSpan.FromSeconds(1)));
        rule.Dispose();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal("hello"u8, world.Accepted.Received);
    }

    [Fact]
    public void Unix_sockets_have_no_packets()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        simulation.AddRule(static _ => throw new InvalidOperationException("asked"));

        simulation.Run(host, async loop =>
        {
            var address = new UnixDomainSocketEndPoint("/run/server");
            await loop.CreateServerAsync(RecordingProtocol.Echo, address);
            var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), address);
            transport.Write("hello"u8);
            await protocol.WaitForBytesAsync(5);
        });
    }

    /// <summary>A rule about the first packet of a kind.</summary>
    private static Func<PacketInfo, Verdict> Once(PacketKind kind, Verdict verdict)
    {
        var isOver = false;
        return packet =>
        {
            if (isOver || packet.Kind != kind) return Verdict.Pass;
            isOver = true;
            return verdict;
        };
    }
}
