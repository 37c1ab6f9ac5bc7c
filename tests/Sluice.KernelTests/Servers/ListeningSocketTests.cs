using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;
using Sluice.Testing;

namespace Sluice.KernelTests.Servers;

/// <summary>What only the real kernel knows of the sockets of a server.</summary>
public sealed class ListeningSocketTests
{
    private const int LevelSocket = 1;
    private const int ReusePort = 15;
    private const int AddressFamilyNotSupported = 97;

    [Theory, Case("SRV-017")]
    [InlineData(true)]
    [InlineData(false)]
    public void SO_REUSEPORT_is_set_only_where_it_is_asked_for(bool isAsked) => EventLoop.Run(async loop =>
    {
        var server = await loop.CreateServerAsync(
            static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { ReusePort = isAsked });
        using var duplicate = server.Sockets[0].Duplicate();
        var value = new byte[4];
        duplicate.GetRawSocketOption(LevelSocket, ReusePort, value);

        Assert.Equal(isAsked, BitConverter.ToInt32(value) != 0);
    });

    [Fact, Case("SRV-002")]
    public void A_listening_socket_can_be_duplicated_and_is_not_inherited() => EventLoop.Run(static async loop =>
    {
        var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), "127.0.0.1", 0);
        var socket = server.Sockets[0];
        using (var duplicate = socket.Duplicate()) Assert.Equal(server.EndPoints[0], duplicate.LocalEndPoint);

        // The flags are octal, and close-on-exec is 02000000.
        var flags = File.ReadLines($"/proc/self/fdinfo/{socket.Handle}").Single(static line => line.StartsWith("flags:", StringComparison.Ordinal));
        Assert.NotEqual(0, Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & 0x80000);
    });

    [Fact, Case("SRV-005")]
    public void The_IPv6_socket_serves_IPv6_alone() => EventLoop.Run(static async loop =>
    {
        if (!Socket.OSSupportsIPv6) Assert.Skip("This machine has no IPv6.");
        var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), "::", 0);

        Assert.NotEqual(0, server.Sockets[0].GetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only));
    });

    [Fact, Case("SRV-008", "SRV-016")]
    public void A_family_that_the_machine_lacks_is_left_out()
    {
        using var loop = new EventLoop(new EpollBackend(new WithoutIPv6()), new EventLoopOptions());
        loop.RunUntilComplete(async () =>
        {
            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), (string?)null, 0);
            Assert.Equal(AddressFamily.InterNetwork, Assert.Single(server.EndPoints).AddressFamily);

            var refused = await Assert.ThrowsAsync<SocketException>(() => loop.CreateServerAsync(static () => new RecordingProtocol(), "::1", 80));
            Assert.Equal(SocketError.AddressFamilyNotSupported, refused.SocketErrorCode);
            Assert.Equal("could not bind on any address out of [::1]:80", refused.Message);
        });
    }

    [Fact, Case("SRV-014")]
    public void A_failed_call_leaves_no_descriptor_open()
    {
        var system = new WithoutIPv6();
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions());
        loop.RunUntilComplete(async () =>
        {
            var first = await loop.CreateServerAsync(static () => new RecordingProtocol(), "127.0.0.1", 0);
            var taken = (IPEndPoint)first.EndPoints[0];
            var closed = system.Closed.Count;

            await Assert.ThrowsAsync<SocketException>(
                () => loop.CreateServerAsync(static () => new RecordingProtocol(), [new IPEndPoint(IPAddress.Parse("127.0.0.2"), taken.Port), taken]));

            Assert.Equal(closed + 2, system.Closed.Count);
        });
    }

    [Fact, Case("SRV-014")]
    public void A_server_that_starts_late_on_an_address_that_was_taken_meanwhile_is_closed() => EventLoop.Run(static async loop =>
    {
        var waiting = new ServerOptions { StartServing = false };
        var late = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0), waiting);
        var address = late.EndPoints[0];
        await loop.CreateServerAsync(static () => new RecordingProtocol(), address);

        var refused = await Assert.ThrowsAsync<SocketException>(late.StartServingAsync);

        Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
        Assert.StartsWith($"error while attempting to bind on address {address}: ", refused.Message, StringComparison.Ordinal);
        Assert.False(late.IsServing);
        Assert.Empty(late.Sockets);
        await late.WaitClosedAsync();
    });

    [Fact, Case("BUG-052")]
    public void The_descriptor_limit_is_that_of_the_process()
    {
        using var bench = new KernelBench();
        var limits = File.ReadLines("/proc/self/limits").Single(static line => line.StartsWith("Max open files", StringComparison.Ordinal));

        Assert.Equal(limits.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], $"{bench.Backend.DescriptorLimit}");
    }

    private sealed class WithoutIPv6 : FaultySyscalls
    {
        private const int FamilyInet6 = 10;

        public override int StreamSocket(int family, out IoError error)
        {
            if (family != FamilyInet6) return base.StreamSocket(family, out error);
            error = new IoError(AddressFamilyNotSupported);
            return -1;
        }
    }
}
