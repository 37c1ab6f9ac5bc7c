using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>Loops as a whole process shows them: environment, standard streams, the end. See tests/Programs/LoopPrograms.</summary>
public sealed class ProcessTests
{
    [Theory, Case("LOOP-041")]
    [InlineData("1", "True")]
    [InlineData("true", "True")]
    [InlineData("0", "False")]
    [InlineData(null, "False")]
    public async Task Debug_mode_follows_the_environment(string? value, string expected)
    {
        using var program = LoopProgram.Start("debug", new Dictionary<string, string?> { ["SLUICE_DEBUG"] = value });
        await program.ExpectAsync(expected);
        await program.ExpectEndAsync(0);
    }

    [Fact, Case("LOOP-070")]
    public async Task A_loop_that_was_never_closed_is_collected_in_silence()
    {
        using var program = LoopProgram.Start("never-closed");
        Assert.Empty(await program.ExpectEndAsync(0));
    }

    [Fact, Case("LOOP-028")]
    public async Task What_a_failing_log_was_told_goes_to_standard_error()
    {
        using var program = LoopProgram.Start("failing-log");
        var errors = await program.ExpectEndAsync(0);
        Assert.Contains("the disk is full", errors, StringComparison.Ordinal);
        Assert.Contains("mistake", errors, StringComparison.Ordinal);
    }

    [Fact, Case("LOOP-069")]
    public async Task Children_of_a_program_with_a_loop_get_its_standard_streams()
    {
        using var program = LoopProgram.Start("child");
        program.SendInput("through");
        await program.ExpectEndAsync(0, "through");
    }

    [Fact, Case("SUB-033")]
    public async Task A_subprocess_inherits_the_program_s_standard_streams()
    {
        using var program = LoopProgram.Start("subprocess");
        program.SendInput("through");
        await program.ExpectEndAsync(0, "through");
    }
}
