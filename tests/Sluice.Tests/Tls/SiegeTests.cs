using System.Net.Sockets;

namespace Sluice.Tests.Tls;

/// <summary>Peers that never finish a handshake cost a server little and for a short while, and good clients are served meanwhile.</summary>
public sealed class SiegeTests
{
    private static readonly TimeSpan Deadline = TlsOptions.DefaultServerHandshakeTimeout;
    private static readonly TimeSpan AWay = TimeSpan.FromMilliseconds(1);

    /// <summary>A record that announces a client hello of 512 bytes and brings none of them yet.</summary>
    private static readonly byte[] BeginningOfHello = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03];

    [Fact, Case("BUG-059", "TLS-012")]
    public void A_thousand_silent_clients_are_dropped_by_the_deadline_and_a_good_one_is_served_all_the_time()
    {
        using var siege = new Siege(TlsParties.Server() with { MaxHandshakes = 2_000 });
        var silent = siege.Attack(1_000);

        var begun = siege.Simulation.Time;
        while (silent.Exists(static one => one.Lasted is null))
        {
            Assert.InRange(siege.Greet(), TimeSpan.Zero, AWay * 4);
            siege.Simulation.RunFor(TimeSpan.FromMilliseconds(250));
            Assert.InRange(siege.Simulation.Time - begun, TimeSpan.Zero, Deadline + AWay * 500);
        }

        Assert.All(silent, static one => Assert.InRange(one.Lasted!.Value, Deadline - AWay, Deadline + AWay));
        Assert.InRange(siege.Served.Count, 30, 60);
        siege.End();
    }

    [Fact, Case("BUG-059")]
    public void A_byte_a_second_does_not_put_the_deadline_off()
    {
        using var siege = new Siege();
        var trickling = siege.Attack(100, static (loop, transport) => Trickle(loop, transport, 0));

        siege.Simulation.RunFor(Deadline + AWay);

        Assert.All(trickling, static one => Assert.InRange(one.Lasted ?? TimeSpan.MaxValue, Deadline - AWay, Deadline + AWay));
        Assert.Empty(siege.Served);
        siege.Greet();
        siege.End();
    }

    [Fact, Case("BUG-059")]
    public void More_handshakes_than_allowed_are_refused_at_once_and_those_under_way_go_on()
    {
        using var siege = new Siege(TlsParties.Server() with { MaxHandshakes = 10 });
        var silent = siege.Attack(10);
        var refused = siege.Attack(90);

        siege.Simulation.RunFor(AWay);

        Assert.All(silent, static one => Assert.Null(one.Lasted));
        Assert.All(refused, static one => Assert.InRange(one.Lasted ?? TimeSpan.MaxValue, TimeSpan.Zero, AWay));
        Assert.All(refused, static one => Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(one.Reason).SocketErrorCode));

        siege.Simulation.RunFor(Deadline);
        Assert.All(silent, static one => Assert.NotNull(one.Lasted));
        for (var i = 0; i < 30; i++) siege.Greet();
        siege.End(reports: 1);
    }

    [Fact, Case("BUG-059")]
    public void Handshakes_that_fail_make_room_for_others()
    {
        using var siege = new Siege(TlsParties.Server() with { MaxHandshakes = 1 });
        for (var i = 0; i < 50; i++)
        {
            siege.Attack(1, static (_, transport) => transport.Write("GET / HTTP/1.1\r\n\r\n"u8));
            siege.Simulation.RunFor(AWay * 4);
            siege.Attack(1, static (_, transport) => transport.Abort());
            siege.Simulation.RunFor(AWay * 4);
            siege.Attack(1, static (_, transport) => transport.Close());
            siege.Simulation.RunFor(AWay * 4);
            siege.Greet();
            siege.Simulation.RunFor(AWay * 4);
        }

        Assert.Equal(50, siege.Served.Count);
        siege.End();
    }

    [Theory, Case("BUG-059", "BUG-060", "TLS-018")]
    [InlineData(0x16, 0x01)]
    [InlineData(0x16, 0x0B)]
    [InlineData(0x14, 0x01)]
    [InlineData(0x15, 0x01)]
    [InlineData(0x17, 0x00)]
    [InlineData(0x80, 0x00)]
    [InlineData(0x47, 0x45)]
    public void A_client_hello_without_end_is_refused_as_soon_as_it_is_too_large(byte type, byte message)
    {
        using var siege = new Siege();
        var flooding = siege.Attack(1, (_, transport) => Flood(transport, type, message));

        siege.Simulation.RunFor(TimeSpan.FromSeconds(4));

        Assert.NotNull(flooding[0].Lasted);
        Assert.Empty(siege.Served);
        siege.Greet();
        siege.End();
    }

    private static void Trickle(EventLoop loop, ITransport transport, int at)
    {
        if (transport.IsClosing) return;
        transport.Write([at < BeginningOfHello.Length ? BeginningOfHello[at] : (byte)0]);
        loop.CallLater(TimeSpan.FromSeconds(1), () => Trickle(loop, transport, at + 1));
    }

    /// <summary>256 KiB of one handshake message, in full records.</summary>
    private static void Flood(ITransport transport, byte type, byte message)
    {
        var record = new byte[5 + (16 * 1024)];
        (record[0], record[1], record[2], record[3]) = (type, 3, 1, 0x40);
        (record[5], record[6], record[7]) = (message, 0x0F, 0xFF);
        for (var i = 0; i < 16; i++)
        {
            transport.Write(record);
            Array.Clear(record, 5, 4);
        }
    }
}
