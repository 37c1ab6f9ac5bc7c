using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Datagrams.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Datagrams;

/// <summary>Datagrams that travel in runs stay datagrams: whatever the sizes, whoever the receivers, whichever end can do it.</summary>
public sealed class SegmentationTests
{
    [Theory]
    [InlineData(AddressFamily.InterNetwork, true, true)]
    [InlineData(AddressFamily.InterNetwork, true, false)]
    [InlineData(AddressFamily.InterNetwork, false, true)]
    [InlineData(AddressFamily.InterNetworkV6, true, true)]
    public void Any_mixture_of_sizes_and_receivers_arrives_as_it_was_sent(AddressFamily family, bool sends, bool receives) => DatagramRun.OnLoop(async run =>
    {
        var random = new Random(7);
        var sender = await run.OpenAsync(DatagramRun.Any(family), options: new DatagramOptions { SegmentationOffload = sends });
        var hearers = new Hearer[2];
        for (var i = 0; i < 2; i++) hearers[i] = await run.OpenAsync(DatagramRun.Any(family), options: new DatagramOptions { SegmentationOffload = receives });
        var (expected, number) = (new List<byte[]>[] { [], [] }, 0);
        for (var round = 0; round < 50; round++)
        {
            var (size, to, budget) = (0, 0, 50_000);
            while (budget > 0)
            {
                // Long runs of one size to one receiver, shorter and longer ones at their ends, and empty ones.
                if (random.Next(6) == 0) size = random.Next(5) switch { 0 => 0, 1 => random.Next(20), 2 => size + 1, 3 => Math.Max(0, size - 1), _ => random.Next(9_000) };
                if (random.Next(10) == 0) to = random.Next(2);
                var data = new byte[size];
                for (var i = 0; i < size; i++) data[i] = (byte)(number + i);
                number++;
                expected[to].Add(data);
                sender.Transport.SendTo(data, DatagramRun.NameOf(hearers[to]));
                budget -= size + 500;
            }

            for (var i = 0; i < 2; i++) await hearers[i].WaitForAsync(expected[i].Count);
        }

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(expected[i], hearers[i].Datagrams);
            Assert.All(hearers[i].Senders, address => Assert.Equal(DatagramRun.NameOf(sender), address));
        }

        Assert.Empty(sender.Errors);
    });

    [Fact]
    public void A_run_is_one_message_for_both_ends()
    {
        var system = new FaultySyscalls();
        DatagramRun.OnLoop(async run =>
        {
            var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
            var sender = await run.OpenAsync(remote: DatagramRun.NameOf(hearer));
            for (var i = 0; i < 40; i++) sender.Transport.SendTo(new byte[1_000]);
            await hearer.WaitForAsync(40);
            Assert.Equal(1, system.MessagesSent);
            Assert.Equal(1, system.MessagesReceived);
        }, system);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(22)]
    [InlineData(90)]
    [InlineData(95)]
    public void A_run_that_the_kernel_refuses_goes_one_by_one(int errno)
    {
        var system = new FaultySyscalls();
        DatagramRun.OnLoop(async run =>
        {
            var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
            var sender = await run.OpenAsync(remote: DatagramRun.NameOf(hearer));
            system.SendErrors.Enqueue(new IoError(errno));
            for (var round = 1; round <= 2; round++)
            {
                for (byte i = 0; i < 40; i++) sender.Transport.SendTo([i, 1, 2]);
                await hearer.WaitForAsync(40 * round);
            }

            Assert.Equal(80, system.MessagesSent);
            Assert.Equal(Enumerable.Range(0, 80).Select(static i => (byte)(i % 40)), hearer.Datagrams.Select(static datagram => datagram[0]));
            Assert.Empty(sender.Errors);
        }, system);
    }

    [Fact]
    public void An_error_loses_one_datagram_of_a_run_and_no_more()
    {
        var system = new FaultySyscalls();
        DatagramRun.OnLoop(async run =>
        {
            var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
            var sender = await run.OpenAsync(remote: DatagramRun.NameOf(hearer));
            system.SendErrors.Enqueue(IoError.ConnectionRefused);
            for (byte i = 0; i < 10; i++) sender.Transport.SendTo([i]);
            await hearer.WaitForAsync(9);
            Assert.Equal(Enumerable.Range(1, 9), hearer.Datagrams.Select(static datagram => (int)datagram[0]));
            Assert.Single(sender.Errors);
        }, system);
    }

    // As a program of another library may have done before it handed the socket over.
    [Fact]
    public void A_socket_that_was_told_to_merge_before_is_taken_apart_too() => DatagramRun.OnLoop(static async run =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SetRawSocketOption(17, 104, BitConverter.GetBytes(1));
        socket.Bind(DatagramRun.Any(AddressFamily.InterNetwork));
        var (_, hearer) = await run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), socket, new DatagramOptions { SegmentationOffload = false });
        var sender = await run.OpenAsync(remote: DatagramRun.NameOf(hearer));
        for (byte i = 0; i < 40; i++) sender.Transport.SendTo([i, i]);
        await hearer.WaitForAsync(40);
        Assert.All(hearer.Datagrams, static datagram => Assert.Equal(2, datagram.Length));
    });
}
