using System.Diagnostics;

namespace Sluice.KernelTests.Peers;

/// <summary>A program that a test talks to over loopback. Owned by the test, whose end ends it too.</summary>
internal sealed class PeerProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private PeerProcess(string path, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public StreamWriter Input => _process.StandardInput;

    /// <summary>Starts a program of the system, or skips the test where there is none.</summary>
    public static PeerProcess Start(string command, params IEnumerable<string> arguments) =>
        new(Peer.Find(command, command == "nc" ? "netcat-openbsd" : null), arguments);

    /// <summary>Starts one of the scripts beside this file under python3.</summary>
    public static PeerProcess Python(string script, params IEnumerable<string> arguments) =>
        Start("python3", [Path.Combine(AppContext.BaseDirectory, "Peers", "Scripts", script), .. arguments]);

    /// <summary>The next line that it prints.</summary>
    public async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new EndOfStreamException($"It printed no more. {await ErrorsAsync()}");

    /// <summary>The port of the line "port N", which a serving script prints first.</summary>
    public async Task<int> ReadPortAsync() => int.Parse((await ReadLineAsync())["port ".Length..], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>All that it still prints, once it has ended by itself and in order.</summary>
    public async Task<string> ReadToEndAsync()
    {
        var output = await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        Assert.True(_process.ExitCode == 0, $"exit code {_process.ExitCode}: {await ErrorsAsync()}");
        return output.TrimEnd();
    }

    /// <summary>The code with which it ends by itself. What it still prints is dropped.</summary>
    public async Task<int> ExitAsync()
    {
        await _process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    /// <summary>Ends it by SIGKILL: the kernel closes what it has open.</summary>
    public Task KillAsync()
    {
        _process.Kill();
        return _process.WaitForExitAsync().WaitAsync(Patience);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private Task<string> ErrorsAsync() => _errors.WaitAsync(Patience);
}
