using System.Runtime.InteropServices;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Faults;

/// <summary>The scenarios about pipes. Whatever fails, both ends are closed at the end of each.</summary>
internal static class PipeScenarios
{
    public static async Task ExchangeAsync(EventLoop loop)
    {
        var (reader, writer) = Descriptors.Pipe();
        await ExchangeAsync(loop, reader, writer);
    }

    public static async Task UseOthersAsync(EventLoop loop)
    {
        var (near, far) = SocketPair.Create();
        using (near)
        using (far) await ExchangeAsync(loop, near.SafeHandle, far.SafeHandle);
        var device = Descriptors.Open("/dev/null", Descriptors.ReadWrite);
        using (device)
        {
            if (await OpenAsync(loop, device) is { } reading) await reading.Record.Lost;
        }
    }

    private static async Task ExchangeAsync(EventLoop loop, SafeHandle reader, SafeHandle writer)
    {
        using (reader)
        using (writer)
        {
            if (await OpenAsync(loop, reader) is not { } reading) return;
            try
            {
                var writing = new RecordingWriteProtocol();
                var (transport, _) = await loop.ConnectWritePipeAsync(() => writing, writer);
                transport.Write(new byte[5]);
                transport.Write(new byte[300_000]);
                transport.WriteLines([new byte[10], new byte[10]]);
                transport.Close();
                await writing.Record.Lost;
            }
            catch (ArgumentException)
            {
                // As when it is no pipe: it is left alone, and its owner closes it.
                writer.Dispose();
            }

            await reading.Record.Lost;
        }
    }

    private static async Task<RecordingReadProtocol?> OpenAsync(EventLoop loop, SafeHandle reader)
    {
        try
        {
            var reading = new RecordingReadProtocol();
            await loop.ConnectReadPipeAsync(() => reading, reader);
            return reading;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
