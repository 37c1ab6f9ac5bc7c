using System.Net.Sockets;
using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>The power of a host is cut, and comes back.</summary>
public sealed class HostCrashTests
{
    [Fact]
    public void No_callback_runs_on_a_host_that_has_crashed_and_its_peer_hears_nothing()
    {
        using var world = new ClientAndServer();
        world.Connect();
        var late = 0;
        world.Server.Loop.CallLater(TimeSpan.FromMinutes(1), () => late++);

        world.Server.Crash();
        world.Simulation.RunFor(TimeSpan.FromHours(1));

        Assert.False(world.Server.IsRunning);
        Assert.Equal(0, late);
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
        Assert.Equal(["ConnectionMade"], world.Connected.Trace);
    }

    [Fact]
    public void Who_sends_to_a_host_that_stays_down_times_out()
    {
        using var world = new ClientAndServer();
        world.Connect();

        world.Server.Crash();
        world.Connected.Transport.Write("anybody?"u8);
        var took = world.RunUntilLost(world.Connected);

        Assert.Equal("ConnectionLost(SocketException TimedOut)", world.Connected.Trace[^1]);
        Assert.InRange(took, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(61));
    }

    [Fact]
    public void Who_sends_to_a_host_that_is_up_again_is_reset()
    {
        using var world = new ClientAndServer();
        world.Connect();

        world.Server.Crash();
        world.Connected.Transport.Write("anybody?"u8);
        world.Simulation.RunFor(TimeSpan.FromSeconds(5));
        Assert.False(world.Connected.Lost.IsCompleted);
        world.Server.Restart();
        world.RunUntilLost(world.Connected);

        Assert.Equal("ConnectionLost(SocketException ConnectionReset)", world.Connected.Trace[^1]);
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
    }

    [Fact]
    public void A_close_towards_a_host_that_is_up_again_ends_as_well()
    {
        using var world = new ClientAndServer();
        world.Connect();

        world.Server.Crash();
        world.Server.Restart();
        world.Connected.Transport.Close();
        var took = world.RunUntilLost(world.Connected);

        Assert.True(took < TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Programs_begin_again_on_a_new_loop_and_the_same_port()
    {
        using var simulation = new Simulation(seed: 1);
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var starts = 0;
        server.Start(async loop =>
        {
            await loop.CreateServerAsync(RecordingProtocol.Echo, "0.0.0.0", 80);
            starts++;
        });
        simulation.RunUntil(() => starts == 1);
        var before = server.Loop;

        server.Crash();
        server.Restart();
        simulation.RunUntil(() => starts == 2);
        simulation.Run(client, async loop =>
        {
            var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "server", 80);
            transport.Write("again"u8);
            await protocol.WaitForBytesAsync(5);
        });

        Assert.NotSame(before, server.Loop);
        Assert.True(server.IsRunning);
    }

    [Fact]
    public void What_has_left_a_host_arrives_after_its_crash_and_what_its_kernel_held_does_not()
    {
        using var world = new ClientAndServer(SimulationOptions.Faithful with { SendBufferSize = 1_000, ReceiveBufferSize = 500 });
        world.Connect();

        world.Accepted.Transport.PauseReading();
        world.Connected.Transport.Write(new byte[1_200]);
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));
        world.Connected.Transport.Close();
        world.Client.Crash();
        world.Accepted.Transport.ResumeReading();
        world.Simulation.RunFor(TimeSpan.FromMinutes(10));

        Assert.Equal(500, world.Accepted.Received.Length);
        Assert.False(world.Accepted.Lost.IsCompleted);
    }

    [Fact]
    public void What_is_on_its_way_when_its_sender_crashes_arrives()
    {
        using var world = new ClientAndServer();
        world.Connect();

        world.Connected.Transport.Write("last words"u8);
        world.Simulation.RunFor(TimeSpan.FromMicroseconds(50));
        world.Client.Crash();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal("last words"u8, world.Accepted.Received);
    }

    [Fact]
    public void What_waited_for_room_at_a_host_that_crashes_times_out()
    {
        using var world = new ClientAndServer(SimulationOptions.Faithful with { SendBufferSize = 1_000, ReceiveBufferSize = 500 });
        world.Connect();

        world.Accepted.Transport.PauseReading();
        world.Connected.Transport.Write(new byte[1_200]);
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));
        world.Server.Crash();
        world.RunUntilLost(world.Connected);

        Assert.Equal("ConnectionLost(SocketException TimedOut)", world.Connected.Trace[^1]);
    }

    [Fact]
    public void The_file_of_a_unix_socket_stays_behind_and_refuses()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var address = new UnixDomainSocketEndPoint("/run/server");
        simulation.Run(host, loop => loop.CreateServerAsync(RecordingProtocol.Echo, address));

        host.Crash();
        host.Restart();

        simulation.Run(host, async loop =>
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(static () => new RecordingProtocol(), address));
            Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
            await loop.CreateServerAsync(RecordingProtocol.Echo, address);
            await loop.CreateConnectionAsync(static () => new RecordingProtocol(), address);
        });
    }

    [Fact]
    public void A_connect_to_a_host_that_comes_up_in_time_is_made()
    {
        using var world = new ClientAndServer();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));
        world.Server.Crash();
        world.StartConnect();
        world.Simulation.RunFor(TimeSpan.FromSeconds(10));
        Assert.Empty(world.Connected.Trace);

        world.Server.Restart();

        world.Simulation.RunUntil(() => world.Connected.Made.IsCompleted, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_rule_may_crash_the_host_whose_packet_it_judges()
    {
        using var world = new ClientAndServer();
        world.Connect();
        world.Simulation.AddRule(packet =>
        {
            if (packet.Kind == PacketKind.Data) packet.From.Crash();
            return Verdict.Pass;
        });

        world.Client.Loop.CallSoon(() => world.Connected.Transport.Write("never"u8));
        world.Simulation.RunFor(TimeSpan.FromMinutes(10));

        Assert.False(world.Client.IsRunning);
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
    }

    [Fact]
    public void Nothing_can_be_started_on_a_host_that_is_down()
    {
        using var world = new ClientAndServer();
        world.Server.Crash();
        world.Server.Crash();

        Assert.Throws<InvalidOperationException>(() => world.Server.Start(static _ => Task.CompletedTask));
        Assert.Throws<InvalidOperationException>(() => world.Server.AddLoop());
    }
}
