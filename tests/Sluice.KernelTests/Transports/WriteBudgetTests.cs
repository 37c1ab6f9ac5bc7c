using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>What all connections of a process may have waiting together. Each loop here has a budget of its own.</summary>
public sealed class WriteBudgetTests
{
    private const int Budget = 4 * 1024 * 1024;

    [Theory, EveryKernel, Case("SRV-073")]
    public void Beyond_the_budget_a_peer_that_does_not_read_loses_its_connection_and_one_that_reads_goes_on(LoopKernel kernel) => kernel.Run(
        async loop =>
        {
            var stuck = new RecordingProtocol();
            var (writer, _) = await kernel.ConnectAsync(loop, stuck, new RecordingProtocol { OnMade = static transport => transport.PauseReading() });
            var reader = new RecordingProtocol();
            var healthy = new RecordingProtocol();
            var (live, _) = await kernel.ConnectAsync(loop, healthy, reader);

            writer.Write(new byte[kernel.MoreThanItHolds() + 2 * Budget]);
            await Task.Yield();
            Assert.True(loop.Core.Segments.IsOverBudget);
            Assert.False(stuck.Lost.IsCompleted);

            // Small writes of one step are offered to the kernel before they count.
            for (var i = 0; i < 100; i++) live.Write(new byte[1000]);
            await reader.WaitForBytesAsync(100_000);
            Assert.False(healthy.Lost.IsCompleted);

            writer.Write("more"u8);
            var reason = Assert.IsType<WriteBufferLimitException>(await stuck.Lost);
            Assert.Contains("MaxTotalWriteBufferSize", reason.Message, StringComparison.Ordinal);
            Assert.False(loop.Core.Segments.IsOverBudget);

            live.Write(new byte[100_000]);
            await reader.WaitForBytesAsync(200_000);
            live.Abort();
            await healthy.Lost;
        },
        new EventLoopOptions { OwnWriteBudget = Budget });

    [Fact, Case("SRV-073")]
    public void The_budget_of_the_process_is_a_quarter_of_the_memory_and_can_be_set()
    {
        var before = EventLoop.MaxTotalWriteBufferSize;
        Assert.Equal(Math.Max(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, 64 * 1024 * 1024), before);
        EventLoop.MaxTotalWriteBufferSize = before - 1;
        Assert.Equal(before - 1, EventLoop.MaxTotalWriteBufferSize);
        EventLoop.MaxTotalWriteBufferSize = before;
        Assert.Throws<ArgumentOutOfRangeException>(static () => EventLoop.MaxTotalWriteBufferSize = 0);
        Assert.True(EventLoop.TotalWriteBufferSize >= 0);
    }
}
