using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Sluice.KernelTests.Loops.Kit;

/// <summary>A program of tests/Programs/LoopPrograms in a process of its own. Owned by a test. Every wait ends: it kills what does not answer.</summary>
internal sealed partial class LoopProgram : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _name;
    private readonly Process _process;
    private readonly StringBuilder _printed = new();
    private readonly Task<string> _errors;

    private LoopProgram(string name, ProcessStartInfo start)
    {
        _name = name;
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public static LoopProgram Start(string name, params string[] arguments) => Start(name, new Dictionary<string, string?>(), arguments);

    public static LoopProgram Start(string name, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        // A shell that runs the tests in the background makes them ignore SIGINT, and children inherit that. The program takes env's place and id.
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var program = Path.Combine(AppContext.BaseDirectory, "Sluice.LoopPrograms.dll");
        var start = new ProcessStartInfo("env", ["--default-signal", dotnet, program, name, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("SLUICE_DEBUG");
        foreach (var (variable, value) in environment) start.Environment[variable] = value;
        return new LoopProgram(name, start);
    }

    /// <summary>The next lines of its output are these.</summary>
    public async Task ExpectAsync(params string[] lines)
    {
        foreach (var expected in lines)
        {
            var line = await BoundedAsync(patience => _process.StandardOutput.ReadLineAsync(patience).AsTask(), $"'{expected}'");
            _printed.AppendLine(line);
            if (line != expected) await FailAsync($"printed '{line}' instead of '{expected}'");
        }
    }

    /// <summary>It ends by itself, with no more output than this.</summary>
    /// <returns>What it wrote to standard error.</returns>
    public Task<string> ExpectEndAsync(int exitCode, string output = "") => ExpectEndAsync([exitCode], output);

    /// <summary>It dies by one of these signals, with no more output.</summary>
    public Task ExpectDeathAsync(params int[] signals) => ExpectEndAsync(Array.ConvertAll(signals, static signal => 128 + signal), "");

    public void Send(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    public void SendLine(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    public void SendInput(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Close();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private async Task<string> ExpectEndAsync(int[] exitCodes, string output)
    {
        var rest = await BoundedAsync(_process.StandardOutput.ReadToEndAsync, "its end");
        _printed.Append(rest);
        await BoundedAsync(async patience =>
        {
            await _process.WaitForExitAsync(patience);
            return true;
        }, "its end");
        if (!exitCodes.Contains(_process.ExitCode)) await FailAsync($"ended with {_process.ExitCode} instead of {string.Join(" or ", exitCodes)}");
        if (rest != output) await FailAsync($"printed '{rest}' at its end instead of '{output}'");
        return await _errors;
    }

    private async Task<T> BoundedAsync<T>(Func<CancellationToken, Task<T>> wait, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await wait(patience.Token);
        }
        catch (OperationCanceledException)
        {
            await FailAsync($"did not come to {what} within {Patience}");
            throw;
        }
    }

    private async Task FailAsync(string what)
    {
        if (!_process.HasExited) _process.Kill();
        Assert.Fail($"The program {_name} {what}. It had printed:{Environment.NewLine}{_printed}and to standard error:{Environment.NewLine}{await _errors}");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
