using Sluice.Testing;

namespace Sluice.KernelTests.Faults;

/// <summary>Small programs that start children by every call that it takes. Each child ends with its input, so that none needs a signal that may fail.</summary>
internal static class SubprocessScenarios
{
    public static async Task ExchangeAsync(EventLoop loop)
    {
        var (transport, child) = await loop.SubprocessExecAsync(() => new RecordingSubprocessProtocol(), "cat", []);
        transport.StandardInput!.Write(new byte[100_000]);
        transport.StandardInput.Close();
        await child.Lost;
        await using var quiet = await Subprocess.StartAsync("true", [], new SubprocessOptions
        {
            StandardInput = SubprocessStream.Null,
            StandardOutput = SubprocessStream.Null,
            StandardError = SubprocessStream.Null,
        });
        await quiet.WaitAsync();
    }

    public static async Task CloseAsync(EventLoop loop)
    {
        var (transport, child) = await loop.SubprocessExecAsync(() => new RecordingSubprocessProtocol(), "/bin/cat", []);
        transport.Close();
        await child.Lost;
    }
}
