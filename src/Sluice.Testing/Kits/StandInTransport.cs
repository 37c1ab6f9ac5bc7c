using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Sluice.Testing.Kits;

/// <summary>
/// A transport that is not the library's own, with another one inside: all that is asked of it goes there. No kernel may send files past it, since it could change what it is given; and who
/// holds the inner one can act below what is built upon this one: cut the connection, or write bytes that do not belong there. Owned by a check.
/// </summary>
internal sealed class StandInTransport(ITransport inner) : ITransport
{
    public ITransport Inner => inner;

    /// <summary>Bytes that were written through it, in one piece each.</summary>
    public long Written { get; private set; }

    public bool IsClosing => inner.IsClosing;

    public BaseProtocol? Protocol => inner.Protocol;

    public bool IsReading => inner.IsReading;

    public bool CanWriteEof => inner.CanWriteEof;

    public int WriteBufferSize => inner.WriteBufferSize;

    public (int Low, int High) WriteBufferLimits => inner.WriteBufferLimits;

    public void Close() => inner.Close();

    public void Abort() => inner.Abort();

    public void PauseReading() => inner.PauseReading();

    public void ResumeReading() => inner.ResumeReading();

    public void SetProtocol(IProtocol<ITransport> protocol) => inner.SetProtocol(protocol);

    void IReadTransport.SetProtocol(IProtocol<IReadTransport> protocol) => ((IReadTransport)inner).SetProtocol(protocol);

    void IWriteTransport.SetProtocol(IProtocol<IWriteTransport> protocol) => ((IWriteTransport)inner).SetProtocol(protocol);

    void ITransport.SetProtocol(IProtocol<IWriteTransport> protocol) => ((IWriteTransport)inner).SetProtocol(protocol);

    public void Write(ReadOnlySpan<byte> data)
    {
        inner.Write(data);
        Written += data.Length;
    }

    public void Write(in ReadOnlySequence<byte> data) => inner.Write(data);

    public void WriteLines(IEnumerable<ReadOnlyMemory<byte>> parts) => inner.WriteLines(parts);

    public void WriteEof() => inner.WriteEof();

    public void SetWriteBufferLimits(int? high = null, int? low = null) => inner.SetWriteBufferLimits(high, low);

    public Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    public void Advance(int count) => inner.Advance(count);

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value) => inner.TryGetExtraInfo(key, out value);

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => inner.GetExtraInfo(key);

    public object? GetExtraInfo(string name, object? defaultValue = null) => inner.GetExtraInfo(name, defaultValue);
}
