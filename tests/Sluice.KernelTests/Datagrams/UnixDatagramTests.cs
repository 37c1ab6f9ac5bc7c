using System.Net.Sockets;
using Sluice.KernelTests.Datagrams.Kit;
using Sluice.Native;

namespace Sluice.KernelTests.Datagrams;

/// <summary>Unix datagrams: their names, their files, and receivers without room.</summary>
public sealed class UnixDatagramTests
{
    [Fact, Case("UDP-041")]
    public void Named_endpoints_exchange_datagrams_by_path() => DatagramRun.OnLoop(static async run =>
    {
        var echo = await run.OpenAsync(run.Named("echo"), hearer: Hearer.Echo());
        var asker = await run.OpenAsync(run.Named("asker"), run.Named("echo"));
        var other = await run.OpenAsync(run.Named("other"));
        asker.Transport.SendTo("hello"u8);
        other.Transport.SendTo(""u8, run.Named("echo"));
        await asker.WaitForAsync(1);
        await other.WaitForAsync(1);

        Assert.Equal("hello"u8, asker.Datagrams[0]);
        Assert.Equal(run.Named("echo"), asker.Senders[0]);
        Assert.Equal([run.Named("asker"), run.Named("other")], echo.Senders);
        Assert.Equal(run.Named("echo"), asker.Transport.GetExtraInfo(ExtraInfo.PeerName));
    });

    [Fact, Case("UDP-042")]
    public void A_sender_without_a_name_has_no_address() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(run.Named("hearer"));
        var sender = await run.OpenAsync(options: new DatagramOptions { AddressFamily = AddressFamily.Unix });
        sender.Transport.SendTo("hello"u8, run.Named("hearer"));
        sender.Transport.SendTo("again"u8, run.Named("hearer"));
        await hearer.WaitForAsync(2);

        Assert.Equal([null, null], hearer.Senders);
        Assert.Null(sender.Transport.GetExtraInfo(ExtraInfo.SocketName));
    });

    [Fact, Case("UDP-042", "UDP-026")]
    public void Both_ends_of_a_pair_are_connected() => DatagramRun.OnLoop(static async run =>
    {
        var (first, second) = SocketPair.CreateDatagram();
        var (near, nearHearer) = await run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), first);
        var farHearer = Hearer.Echo();
        farHearer.OnDatagram = (data, _) => farHearer.Transport.SendTo(data);
        await run.Loop.CreateDatagramEndpointAsync(() => farHearer, second);
        near.SendTo("hello"u8);
        await nearHearer.WaitForAsync(1);

        Assert.Equal("hello"u8, nearHearer.Datagrams[0]);
        Assert.Throws<ArgumentException>(() => near.SendTo("x"u8, run.Named("elsewhere")));
        Assert.Equal((SocketType.Dgram, AddressFamily.Unix), (near.GetExtraInfo(ExtraInfo.Socket)!.SocketType, near.GetExtraInfo(ExtraInfo.Socket)!.AddressFamily));
        near.Close();
        await nearHearer.Lost;
        Assert.True(first.SafeHandle.IsClosed);
    });

    [Fact, Case("UDP-040")]
    public void A_dead_socket_s_file_is_replaced_and_ours_is_removed_at_the_close() => DatagramRun.OnLoop(static async run =>
    {
        var dead = Syscalls.System.DatagramSocket(SocketConstants.FamilyUnix, out _);
        Syscalls.System.Bind(dead, Sluice.Backends.Linux.Addresses.EndPointBytes.Of(run.Named("socket")));
        Syscalls.System.Close(dead);
        Assert.True(File.Exists(run.PathOf("socket")));

        var hearer = await run.OpenAsync(run.Named("socket"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, Syscalls.System.Status(UnixPath.Of(run.PathOf("socket")), out _).Permissions);
        hearer.Transport.Close();
        await hearer.Lost;
        Assert.False(File.Exists(run.PathOf("socket")));
    });

    [Fact, Case("UDP-040")]
    public void A_living_socket_and_any_other_file_stay() => DatagramRun.OnLoop(static async run =>
    {
        var living = await run.OpenAsync(run.Named("living"));
        var server = await run.Loop.CreateUnixServerAsync(static () => new Sluice.Testing.RecordingProtocol(), run.PathOf("server"));
        File.WriteAllText(run.PathOf("file"), "precious");
        foreach (var taken in (string[])["living", "server", "file"])
        {
            var refused = await Assert.ThrowsAsync<SocketException>(() => run.OpenAsync(run.Named(taken)));
            Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
            Assert.True(File.Exists(run.PathOf(taken)));
        }

        living.Transport.SendTo("me"u8, run.Named("living"));
        await living.WaitForAsync(1);
        Assert.Equal("precious", File.ReadAllText(run.PathOf("file")));
        server.Close();
    });

    [Fact, Case("UDP-040")]
    public void A_successor_s_file_is_not_removed() => DatagramRun.OnLoop(static async run =>
    {
        var first = await run.OpenAsync(run.Named("socket"));
        File.Delete(run.PathOf("socket"));
        var second = await run.OpenAsync(run.Named("socket"));
        first.Transport.Close();
        await first.Lost;
        Assert.True(File.Exists(run.PathOf("socket")));
        second.Transport.SendTo("me"u8, run.Named("socket"));
        await second.WaitForAsync(1);
    });

    [Fact, Case("UDP-010", "UDP-018", "UDP-022")]
    public void A_full_receiver_holds_the_sender_up_without_loss_and_without_a_spin() => DatagramRun.OnLoop(static async run =>
    {
        const int Count = 100;
        using var slow = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        slow.Bind(run.Named("slow"));
        var loose = await run.OpenAsync(run.Named("loose"));
        var bound = await run.OpenAsync(run.Named("bound"), run.Named("slow"));
        for (byte i = 0; i < Count; i++) loose.Transport.SendTo([0, i], run.Named("slow"));
        for (byte i = 0; i < Count; i++) bound.Transport.SendTo([1, i]);
        loose.Transport.Close();
        bound.Transport.Close();
        var before = run.Loop.Core.Passes;
        await Task.Delay(TimeSpan.FromMilliseconds(50), run.Loop.TimeProvider);
        Assert.InRange(run.Loop.Core.Passes - before, 0, 30);
        Assert.True(loose.Transport.WriteBufferSize > 0 && bound.Transport.WriteBufferSize > 0);

        var next = new int[2];
        var buffer = new byte[10];
        for (var i = 0; i < 2 * Count; i++)
        {
            while (slow.Available == 0) await Task.Yield();
            slow.Receive(buffer);
            Assert.Equal(next[buffer[0]]++, buffer[1]);
        }

        Assert.Null(await loose.Lost);
        Assert.Null(await bound.Lost);
    });

    [Fact]
    public void A_datagram_that_is_too_long_to_be_received_is_dropped_and_told() => DatagramRun.OnLoop(static async run =>
    {
        var (first, second) = SocketPair.CreateDatagram();
        using var peer = second;
        var (_, hearer) = await run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), first);
        peer.Send("before"u8);
        peer.Send(new byte[70_000]);
        peer.Send("behind"u8);
        peer.Send(new byte[65_536]);
        await hearer.WaitForAsync(3);

        Assert.Equal([6, 6, 65_536], hearer.Datagrams.Select(static datagram => datagram.Length));
        Assert.Equal(SocketError.MessageSize, Assert.IsType<SocketException>(Assert.Single(hearer.Errors)).SocketErrorCode);
    });

    [Fact]
    public void A_socket_that_somebody_shuts_down_keeps_no_loop_busy() => DatagramRun.OnLoop(static async run =>
    {
        var (first, second) = SocketPair.CreateDatagram();
        using var peer = second;
        var (transport, hearer) = await run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), first);
        peer.Send("last"u8);
        using (var duplicate = transport.GetExtraInfo(ExtraInfo.Socket)!.Duplicate()) duplicate.Shutdown(SocketShutdown.Both);
        await hearer.WaitForAsync(1);
        var before = run.Loop.Core.Passes;
        await Task.Delay(TimeSpan.FromMilliseconds(30), run.Loop.TimeProvider);
        Assert.InRange(run.Loop.Core.Passes - before, 0, 10);
        transport.Close();
        Assert.Null(await hearer.Lost);
    });
}
