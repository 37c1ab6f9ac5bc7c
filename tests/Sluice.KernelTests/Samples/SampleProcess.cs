using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Sluice.KernelTests.Samples;

/// <summary>A sample that runs as a process of its own, as a newcomer would run it. Owned by a test; ends with it.</summary>
internal sealed partial class SampleProcess : IDisposable
{
    private const int InterruptSignal = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private static readonly string Root = FindRoot();

    private readonly Process _process;
    private bool _isDeaf;

    private SampleProcess(Process process) => _process = process;

    /// <summary>The memory that it has now, in bytes.</summary>
    public long Memory => ReadStatus("VmRSS:");

    /// <summary>The most memory that it has had, in bytes.</summary>
    public long PeakMemory => ReadStatus("VmHWM:");

    public static string ReadFile(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>What it reads.</summary>
    public StreamWriter Input => _process.StandardInput;

    public static SampleProcess Start(string sample, params string[] arguments) => Start(["dotnet", ProgramOf(sample), .. arguments]);

    /// <summary>Starts a sample whose standard streams a shell has redirected.</summary>
    /// <param name="sample">Its name.</param>
    /// <param name="redirections">As one writes them in a shell.</param>
    /// <param name="folder">Where the shell is.</param>
    /// <param name="afterwards">What the shell does when the sample has ended, with the same streams.</param>
    public static SampleProcess StartInShell(string sample, string redirections, string? folder = null, string afterwards = ":") =>
        Start(["sh", "-c", $"exec {redirections}; dotnet \"$0\"; code=$?; {afterwards}; exit $code", ProgramOf(sample)], folder);

    private static SampleProcess Start(string[] command, string? folder = null)
    {
        // A shell that runs the tests in the background makes them ignore SIGINT, and children inherit that.
        // With a small nursery its memory is what it keeps, not what the collector has put off.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "DOTNET_GCgen0size=400000", .. command])
        {
            WorkingDirectory = folder ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new SampleProcess(Process.Start(start)!);
    }

    /// <summary>Runs a sample that ends by itself.</summary>
    public static async Task<SampleResult> RunAsync(string sample, params string[] arguments)
    {
        using var process = Start(sample, arguments);
        return await process.EndAsync();
    }

    /// <summary>Where a sample that serves says it does.</summary>
    public async Task<string> ReadAddressAsync() => (await ReadLineAsync("Serving on "))["Serving on ".Length..];

    /// <summary>The next line of its output that begins so; those before it are skipped.</summary>
    public async Task<string> ReadLineAsync(string beginning)
    {
        using var limit = new CancellationTokenSource(Limit);
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith(beginning, StringComparison.Ordinal)) return line;
        }

        throw new InvalidOperationException($"The output ended without a line that begins with '{beginning}'. {await _process.StandardError.ReadToEndAsync(limit.Token)}");
    }

    /// <summary>What Ctrl+C does.</summary>
    public void Interrupt() => Assert.Equal(0, Kill(_process.Id, InterruptSignal));

    /// <summary>Interrupts it, and expects that it ends in order and without a complaint.</summary>
    public async Task<SampleResult> InterruptAsync()
    {
        Interrupt();
        var result = await EndAsync();
        result.AssertSuccess();
        return result;
    }

    /// <summary>Waits for its end.</summary>
    public async Task<SampleResult> EndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        var output = _isDeaf ? Task.FromResult("") : _process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = _process.StandardError.ReadToEndAsync(limit.Token);
        await _process.WaitForExitAsync(limit.Token);
        return new SampleResult(_process.ExitCode, Lines(await output), Lines(await errors));
    }

    /// <summary>Nobody reads its output any more.</summary>
    public void CloseOutput()
    {
        _isDeaf = true;
        _process.StandardOutput.Dispose();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    private long ReadStatus(string name)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.AsSpan(name.Length, line.Length - name.Length - " kB".Length), System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }

    private static string[] Lines(string text) => text.TrimEnd('\n').Split('\n', StringSplitOptions.TrimEntries);

    // The samples are built as the tests are: same configuration, same framework.
    private static string ProgramOf(string sample)
    {
        var build = Path.GetRelativePath(Path.Combine(Root, "tests", "Sluice.KernelTests"), AppContext.BaseDirectory);
        return Path.Combine(Root, "samples", sample, build, $"{sample}.dll");
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Sluice.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} is not within the repository");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
