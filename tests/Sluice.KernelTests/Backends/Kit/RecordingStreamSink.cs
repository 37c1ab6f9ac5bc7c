using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>A stream sink that keeps what it hears, and lets a test act inside each call.</summary>
internal sealed class RecordingStreamSink : IStreamSink
{
    private readonly List<byte> _received = [];

    public Action<byte[]>? WhenRead { get; set; }

    public Action? WhenEnded { get; set; }

    public Action? WhenClosed { get; set; }

    public Action? WhenAskedForTarget { get; set; }

    public Memory<byte> Target { get; set; }

    public byte[] Received => [.. _received];

    public int Reads { get; private set; }

    public List<IoError> Ends { get; } = [];

    public List<(int Count, IoError Error)> Writes { get; } = [];

    public int Closes { get; private set; }

    public void OnRead(ReadOnlySpan<byte> data)
    {
        Assert.Equal(0, Closes);
        Reads++;
        _received.AddRange(data);
        WhenRead?.Invoke(data.ToArray());
    }

    public Memory<byte> ReadTarget()
    {
        WhenAskedForTarget?.Invoke();
        return Target;
    }

    public void OnReadInto(int count)
    {
        Reads++;
        _received.AddRange(Target.Span[..count]);
    }

    public void OnReadEnd(IoError reason)
    {
        Ends.Add(reason);
        WhenEnded?.Invoke();
    }

    public void OnWritten(int count, IoError error) => Writes.Add((count, error));

    public void OnClosed()
    {
        Closes++;
        WhenClosed?.Invoke();
    }
}
