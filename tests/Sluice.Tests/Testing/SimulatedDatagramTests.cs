using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Primitives;
using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>What the simulated network and its kernels do with datagrams.</summary>
public sealed class SimulatedDatagramTests
{
    private static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void A_faithful_network_loses_nothing_repeats_nothing_and_keeps_the_order()
    {
        using var world = new TwoEndpoints();

        world.SendNumbers(300);

        Assert.Equal(Enumerable.Range(0, 300), world.Numbers);
    }

    [Fact]
    public void A_link_loses_as_many_as_it_is_told_and_what_is_lost_stays_lost()
    {
        using var world = new TwoEndpoints();
        world.Simulation.Link(world.Client, world.Server).DatagramLoss = 0.5;

        world.SendNumbers(1000, Apart);

        Assert.InRange(world.Far.Datagrams.Count, 400, 600);
        Assert.Equal(world.Numbers.Order().Distinct(), world.Numbers);
        Assert.Empty(world.Near.Errors);
    }

    [Fact]
    public void A_link_repeats_as_many_as_it_is_told()
    {
        using var world = new TwoEndpoints();
        world.Simulation.Link(world.Client, world.Server).DatagramDuplication = 0.25;

        world.SendNumbers(1000, Apart);

        Assert.InRange(world.Far.Datagrams.Count, 1200, 1300);
        Assert.Equal(Enumerable.Range(0, 1000), world.Numbers.Distinct());
    }

    [Fact]
    public void A_link_lets_some_be_overtaken_and_loses_none_of_them()
    {
        using var world = new TwoEndpoints();
        world.Simulation.Link(world.Client, world.Server).DatagramReordering = 0.2;

        world.SendNumbers(300);

        Assert.NotEqual(Enumerable.Range(0, 300), world.Numbers);
        Assert.Equal(Enumerable.Range(0, 300), world.Numbers.Order());
    }

    [Fact]
    public void Jitter_alone_exchanges_nothing()
    {
        using var world = new TwoEndpoints(SimulationOptions.Faithful with { LatencyJitter = TimeSpan.FromMilliseconds(50) });

        world.SendNumbers(300);

        Assert.Equal(Enumerable.Range(0, 300), world.Numbers);
    }

    [Fact]
    public void The_same_seed_loses_the_same_datagrams_and_another_seed_others()
    {
        Assert.Equal(Play(seed: 5), Play(seed: 5));
        Assert.NotEqual(Play(seed: 5), Play(seed: 6));

        static (string Numbers, ulong Hash) Play(int seed)
        {
            using var world = new TwoEndpoints(SimulationOptions.Hostile, seed);
            world.SendNumbers(200, Apart);
            return (string.Join(' ', world.Numbers), world.Simulation.TraceHash);
        }
    }

    [Fact]
    public void A_receiver_without_room_drops_what_comes_and_nobody_hears_of_it()
    {
        using var world = new TwoEndpoints(SimulationOptions.Faithful with { ReceiveBufferSize = 2000 });

        for (var i = 0; i < 20; i++) world.Near.Transport.SendTo(new byte[872]);
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        // Each counts 1,000 bytes; one is taken as long as there is any room.
        Assert.Equal(2, world.Far.Datagrams.Count);
        Assert.Empty(world.Near.Errors);
        Assert.Contains(world.Simulation.Trace, static line => line.Contains("has no room for 872 bytes", StringComparison.Ordinal));
    }

    [Fact]
    public void A_slow_link_fills_the_sender_s_buffer_and_the_rest_waits_in_the_transport()
    {
        using var world = new TwoEndpoints(SimulationOptions.Faithful with { SendBufferSize = 5000, Bandwidth = 100_000 });

        for (var i = 0; i < 100; i++) world.Near.Transport.SendTo(new byte[1000]);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(1));
        Assert.InRange(world.Near.Transport.WriteBufferSize, 94 * 1008, 96 * 1008);
        Assert.Equal("PauseWriting", world.Near.Trace[^1]);

        var begun = world.Simulation.Time;
        world.Simulation.RunUntil(() => world.Far.Datagrams.Count == 100, TimeSpan.FromSeconds(10));
        Assert.Equal(1.0, (world.Simulation.Time - begun).TotalSeconds, 0.05);
        Assert.Equal("ResumeWriting", world.Near.Trace[^1]);
    }

    [Fact]
    public void A_rule_sees_each_datagram_and_decides()
    {
        using var world = new TwoEndpoints();
        var seen = new List<PacketInfo>();
        using var rule = world.Simulation.AddRule(packet =>
        {
            seen.Add(packet);
            return seen.Count switch
            {
                1 => Verdict.Drop,
                2 => Verdict.DeliverAfter(TimeSpan.FromMilliseconds(500)),
                3 => Verdict.Reset,
                _ => Verdict.Pass,
            };
        });

        world.SendNumbers(5, Apart);

        Assert.Equal([3, 4, 1], world.Numbers);
        Assert.Equal(["ConnectionMade", "ErrorReceived(SocketException ConnectionRefused)"], world.Near.Trace);
        Assert.All(seen, packet =>
        {
            Assert.Equal((world.Client, world.Server, PacketKind.Datagram, 4), (packet.From, packet.To, packet.Kind, packet.Length));
            Assert.Equal(new IPEndPoint(world.Server.Address, 53), packet.Destination);
        });
    }

    [Fact]
    public void A_partition_loses_datagrams_until_it_is_healed()
    {
        using var world = new TwoEndpoints();
        using (world.Simulation.Partition([world.Client], [world.Server])) world.SendNumbers(5);
        Assert.Empty(world.Far.Datagrams);

        world.SendNumbers(2);
        Assert.Equal([0, 1], world.Numbers);
        Assert.Empty(world.Near.Errors);
    }

    [Fact]
    public void A_host_that_is_down_is_silent_and_one_that_has_come_back_refuses_until_its_program_is_there()
    {
        using var world = new TwoEndpoints();
        world.Server.Crash();
        world.SendNumbers(3);
        Assert.Empty(world.Near.Errors);
        Assert.Equal(["ConnectionMade"], world.Far.Trace);

        world.Server.Restart();
        world.SendNumbers(1);
        Assert.Equal([0], world.Numbers);
    }

    [Fact]
    public void What_had_left_a_host_before_its_crash_arrives_and_what_had_not_is_lost()
    {
        using var world = new TwoEndpoints(SimulationOptions.Faithful with { Bandwidth = 100_000 });
        for (var i = 0; i < 10; i++) world.Near.Transport.SendTo(new byte[1000]);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(45));

        world.Client.Crash();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(4, world.Far.Datagrams.Count);
    }

    [Fact]
    public void A_refusal_that_is_lost_is_an_error_nowhere()
    {
        using var world = new TwoEndpoints();
        world.Far.Transport.Close();
        world.SendNumbers(1);
        Assert.Single(world.Near.Errors);

        using var rule = world.Simulation.AddRule(static packet => packet.Kind == PacketKind.Refusal ? Verdict.Drop : Verdict.Pass);
        world.SendNumbers(1);
        Assert.Single(world.Near.Errors);
    }

    [Fact]
    public void An_address_of_nobody_is_unreachable_for_a_connected_endpoint_and_a_silent_one_is_not()
    {
        using var simulation = new Simulation(seed: 1, SimulationOptions.Faithful);
        var host = simulation.AddHost("host");
        simulation.MakeSilent(IPAddress.Parse("10.0.0.8"));
        simulation.Run(host, async loop =>
        {
            var (silent, hears) = await loop.CreateDatagramEndpointAsync(static () => new RecordingDatagramProtocol(), remote: new IPEndPoint(IPAddress.Parse("10.0.0.8"), 53));
            var (nobody, told) = await loop.CreateDatagramEndpointAsync(static () => new RecordingDatagramProtocol(), remote: new IPEndPoint(IPAddress.Parse("10.0.0.9"), 53));
            silent.SendTo("x"u8);
            nobody.SendTo("x"u8);
            await told.WaitForErrorsAsync(1);
            Assert.Equal(SocketError.HostUnreachable, Assert.IsType<SocketException>(told.Errors[0]).SocketErrorCode);
            Assert.Empty(hears.Errors);
        });
    }

    [Fact]
    public void A_broadcast_reaches_every_host_and_a_group_its_members()
    {
        using var simulation = new Simulation(seed: 1, SimulationOptions.Faithful);
        var group = IPAddress.Parse("239.1.2.3");
        var heard = new List<RecordingDatagramProtocol>();
        for (var i = 0; i < 3; i++)
        {
            var joins = i > 0;
            simulation.AddHost($"host{i}").Start(async loop =>
            {
                var (transport, protocol) = await loop.CreateDatagramEndpointAsync(static () => new RecordingDatagramProtocol(), new IPEndPoint(IPAddress.Any, 53));
                if (joins) transport.JoinMulticastGroup(group);
                heard.Add(protocol);
            });
        }

        simulation.Run(simulation.Hosts[0], async loop =>
        {
            var (transport, _) = await loop.CreateDatagramEndpointAsync(
                static () => new RecordingDatagramProtocol(), options: new DatagramOptions { AddressFamily = AddressFamily.InterNetwork, AllowBroadcast = true });
            transport.SendTo("all"u8, new IPEndPoint(IPAddress.Broadcast, 53));
            transport.SendTo("group"u8, new IPEndPoint(group, 53));
        });
        simulation.RunFor(TimeSpan.FromSeconds(1));
        heard[2].Transport.LeaveMulticastGroup(group);
        simulation.Run(simulation.Hosts[0], async loop =>
        {
            var (transport, _) = await loop.CreateDatagramEndpointAsync(
                static () => new RecordingDatagramProtocol(), options: new DatagramOptions { AddressFamily = AddressFamily.InterNetwork });
            transport.SendTo("again"u8, new IPEndPoint(group, 53));
        });
        simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(["ConnectionMade", "DatagramReceived(3)"], heard[0].Trace);
        Assert.Equal(["ConnectionMade", "DatagramReceived(3)", "DatagramReceived(5)", "DatagramReceived(5)"], heard[1].Trace);
        Assert.Equal(["ConnectionMade", "DatagramReceived(3)", "DatagramReceived(5)"], heard[2].Trace);
    }

    [Fact, Case("UDP-036")]
    public void A_kernel_that_cannot_share_ports_says_so_at_the_call()
    {
        using var simulation = new Simulation(seed: 1, SimulationOptions.Faithful with { SupportsReusePort = false });
        simulation.Run(simulation.AddHost("host"), loop =>
        {
            Assert.Throws<PlatformNotSupportedException>(() =>
            {
                _ = loop.CreateDatagramEndpointAsync(static () => new RecordingDatagramProtocol(), new IPEndPoint(IPAddress.Any, 53), options: new DatagramOptions { ReusePort = true });
            });
            return Task.CompletedTask;
        });
    }

    [Fact]
    public void Stalled_links_hold_datagrams_and_let_them_go_in_order()
    {
        using var world = new TwoEndpoints();
        world.Server.Faults.StallLinks();
        world.SendNumbers(5);
        Assert.Empty(world.Far.Datagrams);

        world.Server.Faults.ReleaseLinks();
        world.Simulation.RunFor(Apart);
        Assert.Equal([0, 1, 2, 3, 4], world.Numbers);
    }

    [Fact]
    public void A_transport_that_breaks_a_law_of_the_seam_is_caught()
    {
        using var simulation = new Simulation(seed: 1, SimulationOptions.Faithful);
        var host = simulation.AddHost("host");

        Broken("StartReading was called before Attach", static (channel, _) => channel.StartReading());
        Broken("Attach was called twice", static (channel, sink) => Twice(() => channel.Attach(sink)));
        Broken("TrySend was given no datagrams", static (channel, sink) => Attached(channel, sink).TrySend(default, out _));
        Broken("AwaitRoom was called though nothing was refused", static (channel, sink) => Attached(channel, sink).AwaitRoom());
        Broken("Close was called twice", static (channel, _) => Twice(channel.Close));
        Broken("StartReading was called after Close", static (channel, sink) =>
        {
            Attached(channel, sink).Close();
            channel.StartReading();
        });

        void Broken(string law, Action<DatagramChannel, IDatagramSink> act)
        {
            var channel = host.Backend.OpenDatagram(AddressFamily.InterNetwork, null, null, new DatagramOptions());
            var thrown = Assert.Throws<InvalidOperationException>(() => act(channel, new DeafSink()));
            Assert.Contains(law, thrown.Message, StringComparison.Ordinal);
            Assert.Contains(law, simulation.Violations[^1], StringComparison.Ordinal);
        }

        static DatagramChannel Attached(DatagramChannel channel, IDatagramSink sink)
        {
            channel.Attach(sink);
            return channel;
        }

        static void Twice(Action act)
        {
            act();
            act();
        }
    }

    [Fact]
    public void The_table_of_sockets_shows_endpoints()
    {
        using var world = new TwoEndpoints();

        var rows = world.Simulation.DescribeSockets().Split(Environment.NewLine).Select(static row => string.Join(' ', row.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

        Assert.Contains("server udp 10.0.0.2:53 * UNCONN 0 0", rows);
        Assert.Contains("client udp 10.0.0.1:32768 10.0.0.2:53 ESTAB 0 0", rows);
    }

    /// <summary>Hears nothing: the laws are broken before anything is reported.</summary>
    private sealed class DeafSink : IDatagramSink
    {
        public void OnDatagram(ReadOnlySpan<byte> data, EndPoint? sender)
        {
        }

        public void OnTruncated()
        {
        }

        public void OnReceiveFailed(IoError reason)
        {
        }

        public void OnBatchEnd()
        {
        }

        public void OnRoom()
        {
        }

        public void OnClosed()
        {
        }
    }
}
