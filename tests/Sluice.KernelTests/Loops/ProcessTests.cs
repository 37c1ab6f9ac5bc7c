using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sluice.KernelTests.Loops;

/// <summary>Loops as a whole process shows them: signals, environment, standard streams, the end. See tests/Programs/LoopPrograms.</summary>
public sealed partial class ProcessTests
{
    private const int Interrupt = 2;
    private const int Terminate = 15;

    [Theory, Case("RUN-010")]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task The_first_signal_cancels_main_on_the_loop_and_the_cancellation_comes_out(int signal)
    {
        using var program = Start("until-interrupted");
        Assert.Equal("ready", await program.StandardOutput.ReadLineAsync());
        Send(program, signal);

        Assert.Equal("cancelled on the loop", await program.StandardOutput.ReadLineAsync());
        Assert.Equal("cancellation came out", await program.StandardOutput.ReadLineAsync());
        Assert.Equal(42, await ExitAsync(program));
    }

    [Theory, Case("RUN-010")]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    public async Task A_second_signal_ends_a_program_that_does_not_listen(int signal)
    {
        using var program = Start("deaf");
        Assert.Equal("ready", await program.StandardOutput.ReadLineAsync());
        Send(program, signal);
        Assert.Equal("cancelled", await program.StandardOutput.ReadLineAsync());
        Send(program, signal);

        Assert.Equal(128 + signal, await ExitAsync(program));
    }

    [Fact, Case("RUN-010")]
    public async Task A_cancellation_of_main_s_own_comes_out_without_a_signal()
    {
        using var program = Start("cancels-itself");
        Assert.Contains(nameof(TaskCanceledException), await program.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.NotEqual(0, await ExitAsync(program));
    }

    [Theory, Case("LOOP-041")]
    [InlineData("1", "True")]
    [InlineData("true", "True")]
    [InlineData("0", "False")]
    [InlineData(null, "False")]
    public async Task Debug_mode_follows_the_environment(string? value, string expected)
    {
        using var program = Start("debug", start => start.Environment["SLUICE_DEBUG"] = value);
        Assert.Equal(expected, await program.StandardOutput.ReadLineAsync());
        Assert.Equal(0, await ExitAsync(program));
    }

    [Fact, Case("LOOP-070")]
    public async Task A_loop_that_was_never_closed_is_collected_in_silence()
    {
        using var program = Start("never-closed");
        Assert.Empty(await program.StandardError.ReadToEndAsync());
        Assert.Empty(await program.StandardOutput.ReadToEndAsync());
        Assert.Equal(0, await ExitAsync(program));
    }

    [Fact, Case("LOOP-028")]
    public async Task What_a_failing_log_was_told_goes_to_standard_error()
    {
        using var program = Start("failing-log");
        var errors = await program.StandardError.ReadToEndAsync();
        Assert.Contains("the disk is full", errors, StringComparison.Ordinal);
        Assert.Contains("mistake", errors, StringComparison.Ordinal);
        Assert.Equal(0, await ExitAsync(program));
    }

    [Fact, Case("LOOP-069")]
    public async Task Children_of_a_program_with_a_loop_get_its_standard_streams()
    {
        using var program = Start("child");
        await program.StandardInput.WriteAsync("through");
        program.StandardInput.Close();

        Assert.Equal("through", await program.StandardOutput.ReadToEndAsync());
        Assert.Equal(0, await ExitAsync(program));
    }

    private static Process Start(string name, Action<ProcessStartInfo>? configure = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            ArgumentList = { Path.Combine(AppContext.BaseDirectory, "Sluice.LoopPrograms.dll"), name },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("SLUICE_DEBUG");
        configure?.Invoke(start);
        return Process.Start(start)!;
    }

    private static async Task<int> ExitAsync(Process program)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await program.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            program.Kill();
            throw;
        }

        return program.ExitCode;
    }

    private static void Send(Process program, int signal) => Assert.Equal(0, Kill(program.Id, signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
