using System.Diagnostics;

namespace Sluice.ParityTests.Comparing;

/// <summary>Runs one of the scripts under the Python of this machine: python3, or the one that SLUICE_PYTHON names. Without one the test is skipped.</summary>
internal static class PythonScript
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>What the script prints, once it has ended in order.</summary>
    public static async Task<string> RunAsync(string script, params string[] arguments)
    {
        var named = Environment.GetEnvironmentVariable("SLUICE_PYTHON");
        var python = string.IsNullOrEmpty(named) ? Peer.Find("python3") : named;
        using var process = Process.Start(new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "Scripts", script), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(Patience);
            await process.WaitForExitAsync().WaitAsync(Patience);
            Assert.True(process.ExitCode == 0, $"{script}: exit code {process.ExitCode}: {await errors}");
            return output;
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }
}
