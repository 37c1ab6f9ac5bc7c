using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>The network is cut in two, and heals.</summary>
public sealed class PartitionTests
{
    [Fact]
    public void A_connect_waits_for_the_network_to_heal()
    {
        using var world = new ClientAndServer();
        var partition = world.Simulation.Partition([world.Client], [world.Server]);
        world.StartConnect();
        world.Simulation.RunFor(TimeSpan.FromSeconds(10));
        Assert.False(world.Connected.Made.IsCompleted);

        partition.Dispose();

        world.Simulation.RunUntil(() => world.Connected.Made.IsCompleted, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void Data_of_both_directions_arrives_once_the_network_heals()
    {
        using var world = new ClientAndServer();
        world.Connect();
        using (world.Simulation.Partition([world.Client], [world.Server]))
        {
            world.Connected.Transport.Write("ping"u8);
            world.Accepted.Transport.Write("pong"u8);
            world.Simulation.RunFor(TimeSpan.FromSeconds(20));
            Assert.Equal(0, world.Accepted.Received.Length + world.Connected.Received.Length);
        }

        world.Simulation.RunUntil(() => world.Accepted.Received.Length + world.Connected.Received.Length == 8, TimeSpan.FromSeconds(30));
        Assert.Equal("ping"u8, world.Accepted.Received);
        Assert.Equal("pong"u8, world.Connected.Received);
    }

    [Fact]
    public void A_connection_that_only_listens_survives_any_partition()
    {
        using var world = new ClientAndServer();
        world.Connect();
        using (world.Simulation.Partition([world.Client], [world.Server])) world.Simulation.RunFor(TimeSpan.FromDays(1));

        world.Connected.Transport.Write("hello"u8);
        world.Simulation.RunUntil(() => world.Accepted.Received.Length == 5, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void A_close_in_a_partition_reaches_the_peer_once_it_heals()
    {
        using var world = new ClientAndServer();
        world.Connect();
        var partition = world.Simulation.Partition([world.Client], [world.Server]);
        world.Connected.Transport.Write("bye"u8);
        world.Connected.Transport.Close();
        world.Simulation.RunFor(TimeSpan.FromSeconds(2));
        partition.Dispose();

        world.RunUntilLost(world.Accepted);

        Assert.Equal("bye"u8, world.Accepted.Received);
        Assert.Equal("ConnectionLost(null)", world.Accepted.Trace[^1]);
    }

    [Fact]
    public void A_partition_that_does_not_heal_times_out_who_sends_and_leaves_who_waits()
    {
        using var world = new ClientAndServer();
        world.Connect();
        using var partition = world.Simulation.Partition([world.Client], [world.Server]);

        world.Connected.Transport.Write("hello?"u8);
        world.RunUntilLost(world.Connected);
        world.Simulation.RunFor(TimeSpan.FromHours(1));

        Assert.Equal("ConnectionLost(SocketException TimedOut)", world.Connected.Trace[^1]);
        Assert.Equal(["ConnectionMade"], world.Accepted.Trace);
    }

    [Fact]
    public void One_direction_can_be_cut_alone()
    {
        using var world = new ClientAndServer();
        world.Connect();
        using var partition = world.Simulation.PartitionOneWay([world.Client], [world.Server]);

        world.Connected.Transport.Write("lost"u8);
        world.Accepted.Transport.Write("heard"u8);
        world.Simulation.RunFor(TimeSpan.FromSeconds(5));

        Assert.Equal(0, world.Accepted.Received.Length);
        Assert.Equal("heard"u8, world.Connected.Received);
    }

    [Fact]
    public void Hosts_of_one_side_still_talk()
    {
        using var world = new ClientAndServer();
        var other = world.Simulation.AddHost("other");
        using var partition = world.Simulation.Partition([other], [world.Server, world.Client]);

        world.Connect();

        Assert.True(world.Connected.Made.IsCompleted);
    }
}
