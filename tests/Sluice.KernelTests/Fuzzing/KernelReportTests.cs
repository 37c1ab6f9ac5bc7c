using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.Datagrams;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Datagrams.Kit;
using Sluice.Native;

namespace Sluice.KernelTests.Fuzzing;

/// <summary>
/// Random bytes in place of what the kernel reports of strangers: addresses with lengths that lie, control messages, the answers of name lookups. eng/fuzz.sh runs more of them, from other seeds.
/// </summary>
public sealed class KernelReportTests
{
    private static readonly int Inputs = Setting("SLUICE_FUZZ_INPUTS", 1_000_000);
    private static readonly int Seed = Setting("SLUICE_FUZZ_SEED", 1);

    [Fact, Case("UNIX-040", "BUG-160")]
    public void An_address_of_any_bytes_is_an_end_point_or_none()
    {
        var random = new Random(Seed);
        var senders = new SenderNames();
        Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
        for (var i = 0; i < Inputs / 2; i++)
        {
            var length = Fill(random, address);
            var bytes = address[..length];
            var endPoint = EndPointBytes.ToEndPoint(bytes);
            Assert.Equal(endPoint, new PeerAddress(bytes).EndPoint);
            Assert.Equal(endPoint, senders.Of(bytes));
            _ = endPoint?.ToString();
            if (endPoint?.AddressFamily != AddressFamily.Unix) continue;

            // Two names never become one: the end point leads back to the bytes that it was made of.
            var name = bytes[2..];
            if (name[0] != 0 && name.IndexOf((byte)0) is var end and >= 0) name = name[..end];
            var back = EndPointBytes.Of(endPoint)[2..];
            if (name[0] != 0) back = back.TrimEnd((byte)0);
            Assert.True(back.SequenceEqual(name), $"seed {Seed}, input {i}");
            Assert.Equal(name[0] != 0, EndPointBytes.PathOf(bytes) is not null);
        }
    }

    [Fact, Case("UNIX-040", "BUG-160")]
    public void No_report_about_datagrams_throws_out_of_a_poll() => DatagramRun.OnLoop(
        static async run =>
        {
            var hearers = new[] { await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork)), await run.OpenAsync(run.Named("hearer")) };
            var sender = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
            var unix = await run.OpenAsync(options: new DatagramOptions { AddressFamily = AddressFamily.Unix });
            for (var sent = 0; sent < Inputs / 10; sent += 200)
            {
                for (var i = 0; i < 100; i++)
                {
                    sender.Transport.SendTo("0123456789"u8, DatagramRun.NameOf(hearers[0]));
                    unix.Transport.SendTo("0123456789"u8, run.Named("hearer"));
                }

                var passes = run.Loop.CreateFuture<bool>();
                run.Loop.CallSoon(() => run.Loop.CallSoon(() => passes.TrySetResult(true)));
                await passes.Task;
            }

            Assert.True(hearers.Sum(static hearer => hearer.Datagrams.Count) > 0);
        },
        new LyingSyscalls(Seed));

    [Fact, Case("UNIX-040", "BUG-160")]
    public void No_report_about_connections_throws_out_of_a_poll_and_none_leaks()
    {
        var system = new LyingSyscalls(Seed);
        using var bench = new KernelBench(system);
        var (listener, sink) = bench.Listen(new UnixDomainSocketEndPoint(bench.PathOf("server")));
        for (var i = 0; i < Inputs / 1000; i++)
        {
            using var peer = KernelBench.DialUnowned(new UnixDomainSocketEndPoint(bench.PathOf("server")));
            bench.PollUntil(() => sink.Accepted.Count == i + 1);
            _ = sink.Accepted[i].PeerName?.ToString();
            sink.Accepted[i].Attach(new RecordingStreamSink());
            sink.Accepted[i].Close(reset: true);
        }

        bench.PollIdle();
        listener.Close();
        Assert.Equal(Inputs / 1000, system.Accepted);
        Assert.Equal(Inputs / 1000, system.Closed.Count(system.WasAccepted));
        Assert.Empty(system.CloseErrors);
    }

    [Fact, Case("DNS-040", "BUG-160")]
    public void Whatever_a_resolver_answers_ends_in_the_task_of_who_asked()
    {
        var random = new Random(Seed);
        var resolver = new LyingResolver(random);
        EventLoop.Run(
            async loop =>
            {
                var server = await loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
                for (var i = 0; i < Inputs / 1000; i++)
                {
                    try
                    {
                        var (transport, _) = await loop.CreateConnectionAsync(
                            static () => new Testing.RecordingProtocol(), "liar.test", ((IPEndPoint)server.EndPoints[0]).Port);
                        transport.Abort();
                    }
                    catch (Exception exception) when (exception is SocketException or IOException or InvalidOperationException or InvalidDataException)
                    {
                        Assert.NotEmpty(exception.Message);
                    }
                }
            },
            new EventLoopOptions { Backend = LoopBackend.Epoll, Resolver = resolver });
    }

    private static int Setting(string name, int usual) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

    /// <summary>Mostly nearly right: the interesting lengths and families, with any bytes behind.</summary>
    internal static int Fill(Random random, Span<byte> address)
    {
        random.NextBytes(address);
        if (random.Next(8) != 0)
        {
            ReadOnlySpan<ushort> families = [SocketConstants.FamilyUnix, SocketConstants.FamilyUnix, SocketConstants.FamilyInet, SocketConstants.FamilyInet6, 0, 16, 17, 40];
            BitConverter.TryWriteBytes(address, families[random.Next(families.Length)]);
        }

        if (random.Next(3) == 0) address[2] = 0;
        if (random.Next(3) == 0) address[2..].Replace((byte)0, (byte)'n');
        if (random.Next(2) == 0)
        {
            foreach (ref var one in address[3..]) one = (byte)((one & 0x3f) + 0x30);
        }

        return random.Next(4) switch
        {
            0 => random.Next(address.Length + 1),
            1 => address.Length,
            2 => random.Next(5),
            _ => random.Next(2) == 0 ? 16 : 28,
        };
    }

    /// <summary>The real kernel, but whatever it tells of peers is random.</summary>
    private sealed unsafe class LyingSyscalls(int seed) : FaultySyscalls
    {
        private readonly Random _random = new(seed);
        private readonly HashSet<int> _accepted = [];

        public int Accepted { get; private set; }

        public bool WasAccepted(int fd) => _accepted.Contains(fd);

        public override int Accept(int fd, Span<byte> address, out int length, out Sluice.Primitives.IoError error)
        {
            var number = base.Accept(fd, address, out length, out error);
            if (number < 0) return number;
            Accepted++;
            _accepted.Add(number);
            length = Fill(_random, address);
            return number;
        }

        public override int ReceiveMessages(int fd, MessageSlot* messages, int count, out Sluice.Primitives.IoError error)
        {
            var received = base.ReceiveMessages(fd, messages, count, out error);
            for (var i = 0; i < received; i++)
            {
                ref var header = ref messages[i].Header;
                header.NameLength = (uint)(Fill(_random, new Span<byte>(header.Name, SocketConstants.MaxAddressLength)) + (_random.Next(10) == 0 ? 1000 : 0));
                if (header.Control == null) continue;
                var control = new Span<byte>(header.Control, 256);
                _random.NextBytes(control);
                BitConverter.TryWriteBytes(control, (ulong)_random.Next(4) switch { 0 => 0, 1 => 20, 2 => ulong.MaxValue, _ => (ulong)_random.Next(300) });
                if (_random.Next(2) == 0)
                {
                    BitConverter.TryWriteBytes(control[8..], SocketConstants.ProtocolUdp);
                    BitConverter.TryWriteBytes(control[12..], SocketConstants.OptionUdpMerge);
                    BitConverter.TryWriteBytes(control[16..], _random.Next(3) switch { 0 => _random.Next(-5, 20), 1 => int.MinValue, _ => int.MaxValue });
                }

                header.ControlLength = (nuint)_random.Next(4) switch { 0 => 0, 1 => 256, 2 => 100_000, _ => (nuint)_random.Next(257) };
                if (_random.Next(20) == 0) messages[i].Length = 1_000_000;
            }

            return received;
        }
    }

    private sealed class LyingResolver(Random random) : NameResolver
    {
        public override Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
        {
            if (random.Next(10) == 0) throw new InvalidDataException("a resolver that throws");
            if (random.Next(10) == 0) return Task.FromException<IReadOnlyList<IPAddress>>(new InvalidDataException("a resolver that fails"));
            if (random.Next(10) == 0) return Task.FromResult<IReadOnlyList<IPAddress>>(null!);
            if (random.Next(20) == 0) return null!;
            var answer = new List<IPAddress>();
            for (var i = random.Next(4); i > 0; i--)
            {
                answer.Add(random.Next(4) switch
                {
                    0 => null!,
                    1 => IPAddress.IPv6Loopback,
                    _ => IPAddress.Loopback,
                });
            }

            return Task.FromResult<IReadOnlyList<IPAddress>>(answer);
        }
    }
}
