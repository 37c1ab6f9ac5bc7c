using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.Datagrams;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Datagrams.Kit;
using Sluice.Native;
using Sluice.Primitives;

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
    public void No_report_about_datagrams_throws_out_of_a_poll()
    {
        var system = new LyingSyscalls(Seed, Inputs / 5);
        var hearers = new[] { new Listener(), new Listener() };
        DatagramRun.OnLoop(
            async run =>
            {
                await run.Loop.CreateDatagramEndpointAsync(() => hearers[0], DatagramRun.Any(AddressFamily.InterNetwork));
                await run.Loop.CreateDatagramEndpointAsync(() => hearers[1], run.Named("hearer"));
                var knocking = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
                knocking.Transport.SendTo("x"u8, hearers[0].Transport!.GetExtraInfo(ExtraInfo.SocketName));
                var unix = await run.OpenAsync(options: new DatagramOptions { AddressFamily = AddressFamily.Unix });
                unix.Transport.SendTo("x"u8, run.Named("hearer"));
                while (system.Datagrams < Inputs / 5) await NextPassAsync(run.Loop);
            },
            system);
        Assert.All(hearers, static hearer => Assert.True(hearer.Heard > 0));
    }

    [Theory, Case("UNIX-040", "BUG-160")]
    [InlineData(true)]
    [InlineData(false)]
    public void No_report_about_connections_throws_out_of_a_poll_and_none_leaks(bool isUnix)
    {
        var system = new LyingSyscalls(Seed, Inputs / 10);
        using var bench = new KernelBench(system);
        var sink = new Turnstile();
        EndPoint address = isUnix ? new UnixDomainSocketEndPoint(bench.PathOf("server")) : new IPEndPoint(IPAddress.Any, 0);
        var listener = bench.Backend.Listen(address, ServerOptions.Default, sink);
        listener.StartAccepting();
        var knock = listener.LocalName is IPEndPoint ip ? new IPEndPoint(IPAddress.Loopback, ip.Port) : listener.LocalName;
        bench.Dial(knock);
        while (sink.Accepted < Inputs / 10) bench.Backend.Poll(TimeSpan.FromSeconds(10));
        bench.PollIdle();
        listener.Close();

        // The last one is the real connection that knocked.
        Assert.Equal(Inputs / 10, system.Accepted);
        Assert.Equal(Inputs / 10, system.ClosedStrangers);
        Assert.Empty(system.CloseErrors);
    }

    [Fact, Case("UNIX-040", "BUG-160")]
    public void The_names_of_a_connected_socket_may_be_anything()
    {
        var system = new LyingSyscalls(Seed, Inputs / 10);
        for (var i = 0; i < Inputs / 10; i++)
        {
            var family = (i % 3) switch { 0 => SocketConstants.FamilyUnix, 1 => SocketConstants.FamilyInet, _ => SocketConstants.FamilyInet6 };
            var names = new ConnectedNames(system, LyingSyscalls.FirstStranger, family);
            _ = $"{names.Local} {names.Peer.EndPoint}";
        }
    }

    [Fact, Case("DNS-040", "BUG-160")]
    public void Whatever_a_resolver_answers_ends_in_the_task_of_who_asked()
    {
        var random = new Random(Seed);
        var found = 0;
        EventLoop.Run(
            async loop =>
            {
                for (var i = 0; i < Inputs / 10; i++)
                {
                    try
                    {
                        var addresses = await loop.GetAddressInfoAsync("liar.test", 80);
                        Assert.NotEmpty(addresses);
                        Assert.DoesNotContain(null, addresses);
                        found++;
                    }
                    catch (Exception exception) when (exception is SocketException or InvalidOperationException or InvalidDataException)
                    {
                        Assert.True(exception is InvalidDataException || exception.Message.Contains("liar.test", StringComparison.Ordinal), exception.Message);
                    }
                }
            },
            new EventLoopOptions { Backend = LoopBackend.Epoll, Resolver = new LyingResolver(random) });
        Assert.InRange(found, 1, (Inputs / 10) - 1);
    }

    private static Task NextPassAsync(EventLoop loop)
    {
        var passed = loop.CreateFuture();
        loop.CallSoon(static passed => ((TaskCompletionSource)passed!).TrySetResult(), passed);
        return passed.Task;
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

    /// <summary>Counts what it hears.</summary>
    private sealed class Listener : DatagramProtocol
    {
        public IDatagramTransport? Transport { get; private set; }

        public int Heard { get; private set; }

        public override void ConnectionMade(IDatagramTransport transport) => Transport = transport;

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
        {
            Heard++;
            if (Heard % 100 == 0) _ = address?.ToString();
        }
    }

    /// <summary>Lets each connection go as soon as it has said who it is.</summary>
    private sealed class Turnstile : IListenSink
    {
        public int Accepted { get; private set; }

        public void OnAccepted(StreamChannel channel)
        {
            Accepted++;
            _ = $"{channel.PeerName} {channel.LocalName}";
            channel.Close(reset: true);
        }

        public void OnAcceptFailed(IoError reason) => Assert.Fail($"accept failed: {reason}");
    }

    /// <summary>
    /// The real kernel, until somebody knocks: from then on it reports strangers that are not there, as many as it was told to, and of each of them something random. Their descriptors are
    /// numbers that no open file has.
    /// </summary>
    private sealed unsafe class LyingSyscalls(int seed, int strangers) : FaultySyscalls
    {
        public const int FirstStranger = 1 << 28;

        private readonly Random _random = new(seed);

        public int Accepted { get; private set; }

        public int ClosedStrangers { get; private set; }

        public int Datagrams { get; private set; }

        public override int Accept(int fd, Span<byte> address, out int length, out IoError error)
        {
            if (Accepted == strangers) return base.Accept(fd, address, out length, out error);
            error = IoError.None;
            length = Fill(_random, address);
            return FirstStranger + Accepted++;
        }

        public override int GetLocalName(int fd, Span<byte> address, out IoError error) => IsStranger(fd) ? Name(address, out error) : base.GetLocalName(fd, address, out error);

        public override int GetPeerName(int fd, Span<byte> address, out IoError error) => IsStranger(fd) ? Name(address, out error) : base.GetPeerName(fd, address, out error);

        public override IoError SetLinger(int fd, LingerValue value) => IsStranger(fd) ? IoError.None : base.SetLinger(fd, value);

        public override IoError Close(int fd)
        {
            if (!IsStranger(fd)) return base.Close(fd);
            ClosedStrangers++;
            return IoError.None;
        }

        public override int ReceiveMessages(int fd, MessageSlot* messages, int count, out IoError error)
        {
            if (Datagrams >= strangers) return base.ReceiveMessages(fd, messages, count, out error);
            error = IoError.None;
            for (var i = 0; i < count; i++) Garble(ref messages[i]);
            Datagrams += count;
            return count;
        }

        private static bool IsStranger(int fd) => fd >= FirstStranger;

        private int Name(Span<byte> address, out IoError error)
        {
            error = _random.Next(10) == 0 ? IoError.NotConnected : IoError.None;
            return Fill(_random, address);
        }

        private void Garble(ref MessageSlot message)
        {
            ref var header = ref message.Header;
            header.NameLength = (uint)(Fill(_random, new Span<byte>(header.Name, SocketConstants.MaxAddressLength)) + (_random.Next(10) == 0 ? 1000 : 0));
            header.Flags = _random.Next(4) switch { 0 => SocketConstants.Truncated, 1 => SocketConstants.ControlTruncated, _ => 0 };
            message.Length = (uint)(_random.Next(1000) == 0 ? 1_000_000 : _random.Next(100));
            if (header.Control == null) return;
            var control = new Span<byte>(header.Control, 256);
            _random.NextBytes(control);
            BitConverter.TryWriteBytes(control, _random.Next(4) switch { 0 => 0, 1 => 20, 2 => ulong.MaxValue, _ => (ulong)_random.Next(300) });
            if (_random.Next(2) == 0)
            {
                BitConverter.TryWriteBytes(control[8..], SocketConstants.ProtocolUdp);
                BitConverter.TryWriteBytes(control[12..], SocketConstants.OptionUdpMerge);
                BitConverter.TryWriteBytes(control[16..], _random.Next(3) switch { 0 => _random.Next(-5, 20), 1 => int.MinValue, _ => int.MaxValue });
            }

            header.ControlLength = _random.Next(4) switch { 0 => 0, 1 => 256, 2 => 100_000, _ => (nuint)_random.Next(257) };
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
