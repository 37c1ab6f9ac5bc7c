using System.Net.Sockets;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Servers;

/// <summary>Drains across threads, and at the end of a loop.</summary>
public sealed class DrainTests
{
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;

    [Theory, EveryKernel, Case("SRV-056")]
    public async Task A_drain_under_way_at_the_loop_s_end_completes_and_counts_what_was_cut_off(LoopKernel kernel)
    {
        Task<DrainResult>? draining = null;
        var served = new RecordingProtocol();
        kernel.Run(async loop =>
        {
            var server = await loop.CreateServerAsync(() => served, kernel.CreateAddress());
            await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
            await served.Made;
            draining = server.DrainAsync(Forever);
        });

        Assert.Equal(new DrainResult(0, 1), await draining!);
        Assert.Equal("ConnectionLost(null)", served.Trace[^1]);
    }

    [Fact, Case("SRV-056")]
    public async Task A_connection_that_cannot_finish_before_the_loop_s_end_is_cut_off()
    {
        Task<DrainResult>? draining = null;
        var served = new RecordingProtocol();
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        LoopKernel.Epoll.Run(
            async loop =>
            {
                var server = await loop.CreateServerAsync(() => served, LoopKernel.Epoll.CreateAddress());
                peer.Connect(server.EndPoints[0]);
                await served.Made;
                served.Transport.Write(new byte[LoopKernel.Epoll.MoreThanItHolds()]);
                served.Transport.Close();
                draining = server.DrainAsync(Forever);
            },
            new EventLoopOptions { ShutdownTimeout = TimeSpan.FromMilliseconds(50) });

        Assert.Equal(new DrainResult(0, 1), await draining!);
        Assert.Equal("ConnectionLost(null)", served.Trace[^1]);
    }

    [Theory, EveryKernel, Case("SRV-056")]
    public void Serving_for_ever_ends_with_the_loop(LoopKernel kernel)
    {
        Task? serving = null;
        kernel.Run(async loop =>
        {
            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), kernel.CreateAddress());
            await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
            serving = server.ServeForeverAsync();
        });

        Assert.True(serving!.IsCanceled);
    }

    [Theory, EveryKernel, Case("SRV-056")]
    public async Task A_drain_after_the_loop_s_end_has_nothing_to_do(LoopKernel kernel)
    {
        Server? server = null;
        using var source = new CancellationTokenSource();
        Task? serving = null;
        kernel.Run(async loop =>
        {
            server = await loop.CreateServerAsync(static () => new RecordingProtocol(), kernel.CreateAddress());
            serving = server.ServeForeverAsync(source.Token);
        });

        Assert.Equal(default, await server!.DrainAsync(Forever));
        source.Cancel();
        Assert.True(serving!.IsCanceled);
    }

    [Fact, Case("SRV-057")]
    public async Task A_server_can_be_drained_from_another_thread()
    {
        await using var loop = EventLoop.Start();
        var served = new RecordingProtocol();
        served.OnDrain = () => served.Transport.Close();
        var server = await loop.CreateServerAsync(() => served, LoopKernel.Epoll.CreateAddress());
        await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);

        Assert.Equal(new DrainResult(1, 0), await server.DrainAsync(Forever));
    }

    [Fact, Case("SRV-057")]
    public async Task A_drain_asked_for_from_another_thread_ends_with_the_loop()
    {
        Task<DrainResult> draining;
        await using (var loop = EventLoop.Start())
        {
            var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var server = await loop.CreateServerAsync(() => new RecordingProtocol { OnDrain = told.SetResult }, LoopKernel.Epoll.CreateAddress());
            await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
            draining = server.DrainAsync(Forever);
            await told.Task;
        }

        Assert.Equal(new DrainResult(0, 1), await draining);
    }

    [Fact, Case("SRV-057")]
    public async Task A_token_that_is_cancelled_on_another_thread_drains()
    {
        await using var loop = EventLoop.Start();
        var served = new RecordingProtocol();
        served.OnDrain = () => served.Transport.Close();
        var server = await loop.CreateServerAsync(() => served, LoopKernel.Epoll.CreateAddress());
        await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        using var source = new CancellationTokenSource();
        var serving = server.ServeForeverAsync(source.Token);
        await loop.InvokeAsync(() => served.Made);

        source.Cancel();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => serving);
        Assert.Equal(source.Token, cancelled.CancellationToken);
        Assert.Equal(["ConnectionMade", "DrainRequested", "ConnectionLost(null)"], served.Trace);
    }

    [Fact, Case("SRV-048")]
    public async Task Clients_that_stop_their_loop_when_they_are_lost_never_leave_anybody_waiting()
    {
        await using var serving = EventLoop.Start();
        var server = await serving.CreateServerAsync(
            static () => new RecordingProtocol { OnMade = static transport => transport.Close() }, LoopKernel.Epoll.CreateAddress());
        for (var round = 0; round < 10; round++)
        {
            using var loop = new EventLoop();
            loop.CallSoon(() => _ = loop.CreateConnectionAsync(() => new RecordingProtocol { OnLost = _ => loop.Stop() }, server.EndPoints[0]));
            loop.RunForever();
        }

        await serving.InvokeAsync(() =>
        {
            server.Close();
            return server.WaitClosedAsync();
        });
    }
}
