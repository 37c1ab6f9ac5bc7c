using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Connecting;

/// <summary>Names: the system's answers, answers from other threads, and answers that come too late.</summary>
public sealed class NameTests
{
    [Fact, Case("DNS-001", "DNS-007")]
    public void The_system_s_resolver_is_asked_where_no_other_is_given()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            foreach (var family in (AddressFamily[])[AddressFamily.Unspecified, AddressFamily.InterNetwork])
            {
                var expected = Dns.GetHostAddresses("localhost", family).Select(address => new IPEndPoint(address, 80));
                Assert.Equal(expected, await loop.GetAddressInfoAsync("localhost", 80, family));
            }

            var name = await loop.GetNameInfoAsync(new IPEndPoint(IPAddress.Loopback, 80));
            Assert.Equal(new DnsEndPoint(Dns.GetHostEntry(IPAddress.Loopback).HostName, 80), name);
            Assert.Equal("0.0.0.0", (await loop.GetNameInfoAsync(new IPEndPoint(IPAddress.Any, 80))).Host);

            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
            var options = new ConnectionOptions { HappyEyeballsDelay = TimeSpan.FromMilliseconds(250) };
            var (transport, protocol) = await loop.CreateConnectionAsync(
                static () => new RecordingProtocol(), "localhost", ((IPEndPoint)server.EndPoints[0]).Port, options);
            transport.Close();
            await protocol.Lost;
            server.Close();
        });
    }

    [Theory, EveryKernel, Case("DNS-006")]
    public void An_answer_after_the_loop_s_end_is_dropped(LoopKernel kernel)
    {
        var names = new HeldNames();
        Task? connect = null, question = null, serve = null;
        kernel.Run(
            async loop =>
            {
                connect = loop.CreateConnectionAsync(static () => new RecordingProtocol(), "held", 80);
                question = loop.GetAddressInfoAsync("held", 80);
                serve = loop.CreateServerAsync(static () => new RecordingProtocol(), "held", 80);
                while (names.Asked < 3) await Task.Yield();
            },
            new EventLoopOptions { Resolver = names });

        Assert.True(connect!.IsCanceled);
        Assert.True(question!.IsCanceled);
        names.Answer.SetResult([IPAddress.Loopback]);
        Assert.True(connect.IsCanceled && names.WasTold);
    }

    [Theory, EveryKernel, Case("DNS-006")]
    public void A_loop_ends_while_its_own_resolver_is_still_at_it(LoopKernel kernel)
    {
        Task? question = null;
        kernel.Run(loop =>
        {
            question = loop.GetAddressInfoAsync("localhost", 80);
            return Task.CompletedTask;
        });

        Assert.True(question!.IsCompleted);
    }

    [Theory, EveryKernel, Case("DNS-001")]
    public void An_answer_may_come_from_any_thread_and_is_heard_on_the_loop_s(LoopKernel kernel)
    {
        var names = new HeldNames();
        kernel.Run(
            async loop =>
            {
                var question = loop.GetAddressInfoAsync("held", 80);
                var thread = new Thread(() => names.Answer.SetResult([IPAddress.Loopback])) { IsBackground = true };
                thread.Start();

                Assert.Equal([new IPEndPoint(IPAddress.Loopback, 80)], await question);

                Assert.Same(loop, EventLoop.Current);
            },
            new EventLoopOptions { Resolver = names });
    }

    [Fact, Case("DNS-001")]
    public async Task Names_can_be_asked_for_from_outside_of_the_loop()
    {
        var loop = EventLoop.Start();

        Assert.Equal([new IPEndPoint(IPAddress.Parse("10.1.2.3"), 80)], await loop.GetAddressInfoAsync("10.1.2.3", 80));
        Assert.All(await loop.GetAddressInfoAsync("localhost", 80), address => Assert.True(IPAddress.IsLoopback(address.Address)));
        Assert.Equal("0.0.0.0", (await loop.GetNameInfoAsync(new IPEndPoint(IPAddress.Any, 80))).Host);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => loop.GetAddressInfoAsync("localhost", 80, cancellationToken: new CancellationToken(canceled: true)));

        await loop.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => { _ = loop.GetAddressInfoAsync("localhost", 80); });
    }

    /// <summary>Answers when the test says so.</summary>
    private sealed class HeldNames : NameResolver
    {
        public TaskCompletionSource<IReadOnlyList<IPAddress>> Answer { get; } = new();

        public int Asked { get; private set; }

        public bool WasTold { get; private set; }

        public override Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
        {
            Asked++;
            cancellationToken.Register(() => WasTold = true);
            return Answer.Task;
        }
    }
}
