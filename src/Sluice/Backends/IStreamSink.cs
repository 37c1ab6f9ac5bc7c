using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>What a channel reports to, always from Poll: the transport.</summary>
internal interface IStreamSink
{
    /// <summary>Bytes have arrived, never none. May come late, after StopReading. The span is good during the call.</summary>
    void OnRead(ReadOnlySpan<byte> data);

    /// <summary>
    /// Asks for memory to receive into, where <see cref="StreamChannel.AsksForTarget"/> is set and the bytes can be taken in the same call.
    /// Empty: use the channel's buffer and <see cref="OnRead"/>. User code ran: the channel looks again whether it is still reading.
    /// </summary>
    Memory<byte> ReadTarget();

    /// <summary>The memory of <see cref="ReadTarget"/> holds bytes now, at least one. Never late.</summary>
    void OnReadInto(int count);

    /// <summary>The last read event. None: the peer has ended its stream. Otherwise: the connection broke; all bytes before it were reported.</summary>
    void OnReadEnd(IoError reason);

    /// <summary>The outstanding write took bytes (at least one, perhaps not all of its slice), or failed. Nothing is outstanding now.</summary>
    void OnWritten(int count, IoError error);

    /// <summary>What <see cref="StreamChannel.AwaitRoom"/> asked for: the kernel has room, or waiting has failed. Nothing is awaited now.</summary>
    void OnRoom(IoError error)
    {
    }

    /// <summary>After Close: the kernel holds nothing of ours any more. The last call.</summary>
    void OnClosed();
}
