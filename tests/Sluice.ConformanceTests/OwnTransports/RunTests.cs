using Sluice.Testing;

namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>What a run of a check demands of its stage, and what it leaves behind.</summary>
public sealed class RunTests
{
    private static readonly TransportCheck Echo = TransportChecks.Get("An_echo_comes_back_whole_and_in_order");

    [Fact]
    public void A_stage_is_for_one_run() => EventLoop.Run(async loop =>
    {
        var stage = new PipeStage(loop);
        await Echo.RunAsync(stage);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => Echo.RunAsync(stage));
        Assert.Contains("make a new one", failure.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void A_check_that_needs_more_than_the_stage_offers_is_refused() => EventLoop.Run(async loop =>
    {
        var check = TransportChecks.All.First(static check => (check.Needs & CheckNeeds.Kernel) != 0);

        var failure = await Assert.ThrowsAsync<ArgumentException>(() => check.RunAsync(new PipeStage(loop)));
        Assert.Contains("Kernel", failure.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void The_exception_handler_is_put_back() => EventLoop.Run(async loop =>
    {
        var mine = (EventLoop _, ExceptionContext _) => { };
        loop.ExceptionHandler = mine;
        await Echo.RunAsync(new PipeStage(loop));
        Assert.Same(mine, loop.ExceptionHandler);
    });

    [Fact]
    public void A_report_that_no_check_expects_fails_the_run() => EventLoop.Run(async loop =>
    {
        loop.CallSoon(() => loop.CallExceptionHandler(new ExceptionContext("something else went wrong")));

        var failure = await Assert.ThrowsAsync<CheckFailedException>(() => Echo.RunAsync(new PipeStage(loop)));
        Assert.Contains("something else went wrong", failure.Message, StringComparison.Ordinal);
    });
}
