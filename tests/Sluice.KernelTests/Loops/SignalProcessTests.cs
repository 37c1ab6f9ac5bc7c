using System.Globalization;
using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>Signal handlers and what the signals do without them, as a whole process shows it. See tests/Programs/LoopPrograms.</summary>
public sealed class SignalProcessTests
{
    private const int Hangup = 1;
    private const int Interrupt = 2;
    private const int Quit = 3;
    private const int User = 10;
    private const int Terminate = 15;
    private const int WindowChange = 28;
    private const int RealTime = 40;

    [Theory, Case("SIG-001", "SIG-004")]
    [InlineData(Hangup)]
    [InlineData(Interrupt)]
    [InlineData(Quit)]
    [InlineData(User)]
    [InlineData(Terminate)]
    [InlineData(RealTime)]
    public async Task A_loop_that_sleeps_hears_its_signals_and_dies_by_one_only_after_the_removal(int signal)
    {
        using var program = Start("handler", signal);
        await program.ExpectAsync("ready");
        program.Send(signal);
        await program.ExpectAsync("handled on the loop");
        program.Send(signal);
        await program.ExpectAsync("handled on the loop");
        program.SendLine("remove");
        await program.ExpectAsync("removed: True", "removed again: False");
        program.Send(signal);

        await program.ExpectDeathAsync(signal);
    }

    [Theory, Case("SIG-004", "RUN-010")]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task A_handler_stands_in_for_the_run_s_own_until_it_is_removed(int signal)
    {
        using var program = Start("handler-in-run", signal);
        await program.ExpectAsync("ready");
        for (var i = 0; i < 3; i++)
        {
            program.Send(signal);
            await program.ExpectAsync("handled, token cancelled: False");
        }

        program.SendLine("remove");
        await program.ExpectAsync("removed: True");
        program.Send(signal);
        await program.ExpectAsync("cancelled", "ended normally");
        await program.ExpectEndAsync(0);
    }

    [Theory, Case("RUN-010")]
    [InlineData(Interrupt, Terminate)]
    [InlineData(Terminate, Interrupt)]
    public async Task A_handler_for_one_signal_leaves_the_other_to_the_run(int handled, int other)
    {
        using var program = Start("handler-in-run", handled);
        await program.ExpectAsync("ready");
        program.Send(handled);
        await program.ExpectAsync("handled, token cancelled: False");
        program.Send(other);

        await program.ExpectAsync("cancelled", "ended normally");
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("SIG-004", "SIG-008")]
    public async Task The_default_of_a_signal_is_back_after_the_loop_that_handled_it()
    {
        using var program = Start("handler-is-over", User);
        await program.ExpectAsync("ready");
        program.Send(User);

        await program.ExpectDeathAsync(User);
    }

    [Fact, Case("SIG-006")]
    public async Task A_signal_whose_default_is_nothing_does_nothing_after_the_removal()
    {
        using var program = Start("handler", WindowChange);
        await program.ExpectAsync("ready");
        program.Send(WindowChange);
        await program.ExpectAsync("handled on the loop");
        program.SendLine("remove");
        await program.ExpectAsync("removed: True", "removed again: False");
        program.Send(WindowChange);
        program.SendLine("still there?");

        await program.ExpectAsync("removed: False", "removed again: False");
        program.Send(Terminate);
        await program.ExpectDeathAsync(Terminate);
    }

    [Fact, Case("SIG-001")]
    public async Task A_signal_that_comes_while_code_runs_is_handled_when_the_code_gives_way()
    {
        using var program = Start("busy-handler", User);
        await program.ExpectAsync("busy");
        program.Send(User);
        program.SendLine("enough");

        await program.ExpectAsync("not busy", "handled on the loop");
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("SIG-001", "SIG-008")]
    public async Task Each_of_two_loops_hears_a_signal_and_one_that_has_ended_takes_nothing_from_the_other()
    {
        using var program = Start("two-handlers", User);
        await program.ExpectAsync("ready");
        program.Send(User);
        await program.ExpectAsync("both handled it", "one has ended");
        program.Send(User);
        await program.ExpectAsync("the other handled it", "both have ended");
        program.Send(User);

        await program.ExpectDeathAsync(User);
    }

    [Fact, Case("SIG-012")]
    public async Task A_handler_for_the_end_of_children_leaves_processes_to_the_runtime()
    {
        using var program = LoopProgram.Start("child-handler");
        await program.ExpectAsync("the child ended with 7", "handled");
        await program.ExpectEndAsync(0);
    }

    private static LoopProgram Start(string name, int signal) => LoopProgram.Start(name, signal.ToString(CultureInfo.InvariantCulture));
}
