using System.Buffers;

namespace Sluice;

/// <summary>A transport that sends a stream of bytes. (Guide: <i>Write-only Transports</i>.)</summary>
/// <remarks>
/// <para>A write never blocks and never throws for what the network does: a broken connection is reported by
/// <see cref="BaseProtocol.ConnectionLost"/>. Writes to a lost connection are dropped and counted; the fifth is logged, once.</para>
/// <para>Small writes leave together at the end of the step in which they were made: one event or signal, or all callbacks and awaiting methods that
/// one pass of the loop runs, or all timers that are due. A write of 4 KiB or more, or one that lifts the buffer above its high watermark, is offered to the
/// kernel at once.</para>
/// <para>As an <see cref="IBufferWriter{T}"/> it lends its own memory: what <c>GetSpan</c> and <c>GetMemory</c> return is good until the
/// next call on the transport or the end of the step, so never beyond the callback that asked or across an <c>await</c>; <c>Advance</c> then counts as a write.</para>
/// </remarks>
public interface IWriteTransport : IBaseTransport, IWriteFlowControl, IBufferWriter<byte>
{
    /// <summary>Sends the bytes after all that were written before. The caller's memory is not needed after the call.</summary>
    /// <param name="data">The bytes; an empty span does nothing.</param>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or after <see cref="WriteEof"/> on a live connection.</exception>
    void Write(ReadOnlySpan<byte> data);

    /// <summary>Sends the segments in order, as <see cref="Write(ReadOnlySpan{byte})"/> would each of them.</summary>
    /// <param name="data">The bytes; empty segments are skipped.</param>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or after <see cref="WriteEof"/> on a live connection.</exception>
    void Write(in ReadOnlySequence<byte> data);

    /// <summary>Sends the parts in order; it adds no line ends (the name is asyncio's). Equal to a write of each part, in fewer system calls.</summary>
    /// <param name="parts">The parts, any number; empty ones are skipped. If the enumeration throws, the parts before it stay written.</param>
    /// <exception cref="ArgumentNullException"><paramref name="parts"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or after <see cref="WriteEof"/> on a live connection.</exception>
    void WriteLines(IEnumerable<ReadOnlyMemory<byte>> parts);

    /// <summary>True where the sending side can be ended alone.</summary>
    bool CanWriteEof { get; }

    /// <summary>
    /// Ends the sending side once all accepted bytes are sent; the peer reads the end of the stream, and data can still be received.
    /// A second call does nothing, nor does a call while closing.
    /// </summary>
    /// <exception cref="NotSupportedException"><see cref="CanWriteEof"/> is false.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void WriteEof();

    /// <summary>
    /// Closes at once: bytes that the kernel does not take now are dropped, and <see cref="BaseProtocol.ConnectionLost"/> is called
    /// with null in a later turn. A TCP peer sees a reset. Cuts a flush short that <c>Close</c> has begun.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void Abort();

    /// <inheritdoc cref="IReadTransport.SetProtocol"/>
    void SetProtocol(IProtocol<IWriteTransport> protocol);
}
