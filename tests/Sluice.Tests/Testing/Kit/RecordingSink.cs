using System.Text;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Tests.Testing.Kit;

/// <summary>A sink that writes down what a channel reports. Owned by one test.</summary>
internal sealed class RecordingSink : IStreamSink
{
    private readonly StringBuilder _text = new();

    public List<string> Events { get; } = [];

    public string Text => _text.ToString();

    public void OnRead(ReadOnlySpan<byte> data)
    {
        Events.Add($"read {data.Length}");
        _text.Append(Encoding.ASCII.GetString(data));
    }

    public Memory<byte> ReadTarget() => default;

    public void OnReadInto(int count) => Events.Add($"read into {count}");

    public void OnReadEnd(IoError reason) => Events.Add(reason.IsNone ? "end" : $"end {reason.SocketErrorCode}");

    public void OnWritten(int count, IoError error) => Events.Add(error.IsNone ? $"written {count}" : $"written {error.SocketErrorCode}");

    public void OnClosed() => Events.Add("closed");
}
