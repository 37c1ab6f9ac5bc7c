using Sluice.Backends;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Counts the reports of a watch.</summary>
internal sealed class RecordingWatchSink : IWatchSink
{
    public int Readable { get; private set; }

    public int Writable { get; private set; }

    public void OnReadable() => Readable++;

    public void OnWritable() => Writable++;
}
