using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>What a run does with SIGINT and SIGTERM, as a whole process shows it. See tests/Programs/LoopPrograms.</summary>
public sealed class InterruptionTests
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    // What an unhandled exception ends a program with.
    private const int Aborted = 134;

    [Theory, Case("RUN-010", "SIG-013")]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task The_first_signal_cancels_the_token_on_the_loop_and_a_main_that_obeys_ends_the_run_normally(int signal)
    {
        using var program = LoopProgram.Start("until-interrupted");
        await program.ExpectAsync("ready");
        program.Send(signal);

        await program.ExpectAsync("cancelled on the loop", "ended normally");
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("RUN-010")]
    public async Task A_server_that_serves_until_then_ends_the_run_normally()
    {
        using var program = LoopProgram.Start("serve-until-interrupted");
        await program.ExpectAsync("ready");
        program.Send(Interrupt);

        await program.ExpectAsync("ended normally");
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("RUN-010")]
    public async Task A_run_with_a_result_throws_the_cancellation()
    {
        using var program = LoopProgram.Start("result-until-interrupted");
        await program.ExpectAsync("ready");
        program.Send(Interrupt);

        await program.ExpectAsync("cancelled on the loop", "cancellation came out");
        await program.ExpectEndAsync(0);
    }

    [Theory, Case("RUN-010")]
    [InlineData("cancels-itself")]
    [InlineData("cancels-itself-with-the-token")]
    public async Task A_cancellation_of_main_s_own_comes_out_without_a_signal(string name)
    {
        using var program = LoopProgram.Start(name);
        Assert.Contains("CanceledException", await program.ExpectEndAsync(Aborted), StringComparison.Ordinal);
    }

    [Fact, Case("RUN-010")]
    public async Task Another_token_s_cancellation_comes_out_also_after_a_signal()
    {
        using var program = LoopProgram.Start("cancels-another-token");
        await program.ExpectAsync("ready");
        program.Send(Interrupt);

        Assert.Contains("CanceledException", await program.ExpectEndAsync(Aborted), StringComparison.Ordinal);
    }

    [Theory, Case("RUN-010")]
    [InlineData(Interrupt, Interrupt)]
    [InlineData(Terminate, Terminate)]
    [InlineData(Interrupt, Terminate)]
    public async Task A_second_signal_ends_a_program_that_does_not_listen(int first, int second)
    {
        using var program = LoopProgram.Start("deaf");
        await program.ExpectAsync("ready");
        program.Send(first);
        await program.ExpectAsync("cancelled");
        program.Send(second);

        await program.ExpectDeathAsync(second);
    }

    [Fact, Case("RUN-010", "SIG-013")]
    public async Task A_second_signal_ends_a_program_whose_loop_is_stuck_in_a_callback()
    {
        using var program = LoopProgram.Start("stuck");
        await program.ExpectAsync("ready");

        // A program that has ended may be there until it is waited for: the second one is never refused.
        program.Send(Terminate);
        program.Send(Interrupt);

        // Whichever the system hands over first is the one that is taken.
        await program.ExpectDeathAsync(Interrupt, Terminate);
    }

    [Fact, Case("SIG-013")]
    public async Task A_signal_that_comes_while_code_runs_cancels_the_token_when_the_code_gives_way()
    {
        using var program = LoopProgram.Start("busy-until-line");
        await program.ExpectAsync("busy");
        program.Send(Interrupt);
        program.SendLine("enough");

        await program.ExpectAsync("not busy", "cancelled", "ended normally");
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("SIG-013")]
    public async Task A_program_may_go_on_after_the_first_signal()
    {
        using var program = LoopProgram.Start("goes-on");
        await program.ExpectAsync("ready");
        program.Send(Interrupt);

        await program.ExpectAsync("goes on", "ended normally");
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("SIG-013", "RUN-010")]
    public async Task Each_of_two_runs_has_a_first_signal()
    {
        using var program = LoopProgram.Start("two-runs");
        foreach (var run in new[] { "first", "second" })
        {
            await program.ExpectAsync(run);
            program.Send(Interrupt);
            await program.ExpectAsync("cancelled on the loop");
        }

        await program.ExpectEndAsync(0);
    }

    [Theory, Case("RUN-010")]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task One_signal_cancels_the_runs_of_two_threads(int signal)
    {
        using var program = LoopProgram.Start("two-threads");
        await program.ExpectAsync("ready");
        program.Send(signal);

        await program.ExpectAsync("both ended normally");
        await program.ExpectEndAsync(0);
    }

    [Theory, Case("RUN-010")]
    [InlineData("without-token")]
    [InlineData("run-is-over")]
    public async Task A_signal_that_no_run_listens_for_ends_the_program_at_once(string name)
    {
        using var program = LoopProgram.Start(name);
        await program.ExpectAsync("ready");
        program.Send(Terminate);

        await program.ExpectDeathAsync(Terminate);
    }
}
