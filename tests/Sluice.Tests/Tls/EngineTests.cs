using Sluice.Testing.Kits;
using Sluice.Tests.Doubles;
using Sluice.Tls;

namespace Sluice.Tests.Tls;

/// <summary>The engine by itself: two of them, each the other's network.</summary>
public sealed class EngineTests
{
    [Fact]
    [Case("TLS-001")]
    public void A_handshake_and_everything_after_it_stays_on_the_thread_and_posts_nothing()
    {
        using var rig = new LoopRig();
        using var running = rig.Loop.Enter();
        var context = new CountingContext();
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            using var client = new Side(rig, TlsClientRole.Of(TestTls.Default.Client, null, "options"));
            using var server = new Side(rig, TlsServerRole.Of(TestTls.Default.Server, "options"));
            Shake(client, server);
            for (var i = 0; i < 100; i++) Assert.Equal(1000, Send(client, server, new byte[1000]));

            Assert.Equal(0, context.Posts);
            Assert.Equal([Environment.CurrentManagedThreadId], client.Threads.Concat(server.Threads).Distinct());
            Assert.Same(context, SynchronizationContext.Current);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(16 * 1024)]
    public void A_message_allocates_nothing(int size)
    {
        using var rig = new LoopRig();
        using var running = rig.Loop.Enter();
        using var client = new Side(rig, TlsClientRole.Of(TestTls.Default.Client, null, "options"));
        using var server = new Side(rig, TlsServerRole.Of(TestTls.Default.Server, "options"));
        Shake(client, server);
        var message = new byte[size];
        for (var i = 0; i < 200; i++) Echo();

        var least = long.MaxValue;
        for (var batch = 0; batch < 3; batch++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++) Echo();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);

        void Echo()
        {
            if (Send(client, server, message) != size || Send(server, client, message) != size) throw new InvalidOperationException("bytes are missing");
        }
    }

    [Fact]
    [Case("TLS-049")]
    public void Records_that_came_together_are_read_together()
    {
        using var rig = new LoopRig();
        using var running = rig.Loop.Enter();
        using var client = new Side(rig, TlsClientRole.Of(TestTls.Default.Client, null, "options"));
        using var server = new Side(rig, TlsServerRole.Of(TestTls.Default.Server, "options"));
        Shake(client, server);
        for (var i = 0; i < 10; i++) Assert.Null(client.Engine.Write(new byte[100]));

        Move(client, server);

        Assert.Equal(1000, server.Engine.Read(out var outcome).Length);
        Assert.Equal(TlsReadOutcome.Blocked, outcome);
    }

    [Theory]
    [InlineData(false, TlsReadOutcome.Truncated)]
    [InlineData(true, TlsReadOutcome.Ended)]
    [Case("BUG-056")]
    public void A_goodbye_is_told_from_a_bare_end(bool goodbye, object outcome)
    {
        using var rig = new LoopRig();
        using var running = rig.Loop.Enter();
        using var client = new Side(rig, TlsClientRole.Of(TestTls.Default.Client, null, "options"));
        using var server = new Side(rig, TlsServerRole.Of(TestTls.Default.Server, "options"));
        Shake(client, server);
        Assert.Null(client.Engine.Write(new byte[100]));
        if (goodbye) Assert.Null(client.Engine.Shutdown());

        Move(client, server);
        server.Engine.FeedEnd();

        Assert.Equal(100, server.Engine.Read(out var found).Length);
        Assert.Equal(outcome, found);
    }

    private static void Shake(Side client, Side server)
    {
        server.Engine.BeginHandshake(server.Role);
        client.Engine.BeginHandshake(client.Role);
        while (!client.Engine.IsHandshakeDone || !server.Engine.IsHandshakeDone)
        {
            Assert.True(Move(client, server) | Move(server, client), "the handshake does not go on");
        }

        Assert.Null(client.Engine.HandshakeFailure);
        Assert.Null(server.Engine.HandshakeFailure);
        Move(server, client);
        client.Engine.Read(out _);
        server.Engine.Read(out _);
    }

    private static int Send(Side from, Side to, byte[] message)
    {
        if (from.Engine.Write(message) is { } exception) throw exception;
        Move(from, to);
        return to.Engine.Read(out _).Length;
    }

    private static bool Move(Side from, Side to)
    {
        if (from.Sent == 0) return false;
        to.Engine.Feed(from.Buffer.AsMemory(0, from.Sent));
        to.Engine.KeepRest();
        from.Sent = 0;
        return true;
    }

    private sealed class Side : ICipherOutput, IDisposable
    {
        public Side(LoopRig rig, TlsRole role)
        {
            Role = role;
            Engine = new TlsEngine(rig.Loop, new TlsWorkspace(), this);
        }

        public TlsRole Role { get; }

        public TlsEngine Engine { get; }

        public byte[] Buffer { get; } = new byte[128 * 1024];

        public int Sent { get; set; }

        public HashSet<int> Threads { get; } = [];

        public void Send(ReadOnlySpan<byte> data)
        {
            Threads.Add(Environment.CurrentManagedThreadId);
            data.CopyTo(Buffer.AsSpan(Sent));
            Sent += data.Length;
        }

        public void Dispose() => Engine.Dispose();
    }

    private sealed class CountingContext : SynchronizationContext
    {
        public int Posts { get; private set; }

        public override void Post(SendOrPostCallback d, object? state) => Posts++;
    }
}
