using System.Runtime.InteropServices;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.KernelTests.Loops;

/// <summary>Signal handlers and the life of their loop, and what belongs to the process rather than to one loop.</summary>
public sealed class SignalTests
{
    /// <summary>A real-time signal that the checks, which run at the same time, leave alone.</summary>
    private const PosixSignal Signal = (PosixSignal)44;

    public SignalTests() => OwnSignals.Expect();

    [Theory, EveryKernel, Case("SIG-008")]
    public void The_loop_s_end_removes_handlers_before_anything_else_ends(LoopKernel kernel)
    {
        var loop = kernel.CreateLoop();
        var order = new List<string>();
        var handle = loop.AddSignalHandler(Signal, static () => { });
        Handle? late = null;
        loop.RunUntilComplete(async () =>
        {
            var (client, _) = await kernel.ConnectAsync(loop, new RecordingProtocol { OnLost = _ => NoteLoss() }, new RecordingProtocol());
            Assert.False(client.IsClosing);
        });

        Assert.False(handle.IsCancelled);
        loop.Dispose();
        Assert.Equal(["lost, removed: True, found: False"], order);
        Assert.True(late!.IsCancelled);
        Assert.False(loop.RemoveSignalHandler(Signal));

        void NoteLoss()
        {
            order.Add($"lost, removed: {handle.IsCancelled}, found: {loop.RemoveSignalHandler(Signal)}");
            late = loop.AddSignalHandler(Signal, static () => { });
        }
    }

    [Fact, Case("SIG-008")]
    public void The_token_of_a_run_is_cancelled_when_handlers_are_gone()
    {
        var found = true;
        EventLoop.Run((loop, token) =>
        {
            loop.AddSignalHandler(Signal, static () => { });
            token.Register(() => found = loop.RemoveSignalHandler(Signal));
            return Task.CompletedTask;
        });

        Assert.False(found);
    }

    [Theory, EveryKernel, Case("SIG-004")]
    public void A_loop_that_rests_can_be_given_handlers_and_keeps_those_it_has(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        var heard = 0;
        loop.AddSignalHandler(Signal, () => heard++);
        loop.RunUntilComplete(static () => Task.CompletedTask);
        Raise(loop);
        Assert.Equal(0, heard);

        loop.RunUntilComplete(async () =>
        {
            while (heard == 0) await Task.Yield();
        });
        Assert.Equal(1, heard);
        Assert.True(loop.RemoveSignalHandler(Signal));
    }

    [Theory, EveryKernel]
    public void Handlers_belong_to_the_loop_s_thread(LoopKernel kernel) => kernel.Run(loop =>
    {
        var handle = loop.AddSignalHandler(Signal, static () => { });
        Assert.IsType<InvalidOperationException>(Threads.CatchElsewhere(() => loop.AddSignalHandler(Signal, static () => { })));
        Assert.IsType<InvalidOperationException>(Threads.CatchElsewhere(() => loop.RemoveSignalHandler(Signal)));
        Assert.IsType<InvalidOperationException>(Threads.CatchElsewhere(handle.Cancel));

        Assert.False(handle.IsCancelled);
        Assert.True(loop.RemoveSignalHandler(Signal));
        return Task.CompletedTask;
    });

    [Fact, Case("SIG-001")]
    public void No_real_signal_reaches_a_simulated_loop()
    {
        using var simulated = LoopKernel.Simulated.CreateLoop();
        using var real = LoopKernel.Epoll.CreateLoop();
        var heard = new List<string>();
        simulated.AddSignalHandler(Signal, () => heard.Add("simulated"));
        real.AddSignalHandler(Signal, () => heard.Add("real"));
        OwnSignals.Send(Signal);

        foreach (var loop in new[] { real, simulated }) loop.RunUntilComplete(static async () => await Task.Yield());
        Assert.Equal(["real"], heard);
    }

    [Theory, Case("SIG-001", "SIG-012")]
    [InlineData(17, false)]
    [InlineData(18, false)]
    [InlineData(23, false)]
    [InlineData(28, false)]
    [InlineData((int)Signal, true)]
    public void The_default_is_suppressed_unless_it_does_no_harm(int signal, bool suppressed)
    {
        using var loop = LoopKernel.Epoll.CreateLoop();
        loop.AddSignalHandler((PosixSignal)signal, static () => { });

        Assert.Equal(suppressed, OwnSignals.Send((PosixSignal)signal));
    }

    private static void Raise(EventLoop loop)
    {
        if (loop.Core.Backend is SimulatedBackend simulated) Assert.True(simulated.SendSignal((int)Signal));
        else OwnSignals.Send(Signal);
    }
}
