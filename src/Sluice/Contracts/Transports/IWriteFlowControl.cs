namespace Sluice;

/// <summary>The size of a write buffer and the two watermarks that decide when its protocol is told to stop and to go on.</summary>
public interface IWriteFlowControl
{
    /// <summary>Bytes that were accepted and that the kernel has not taken yet. Small writes count until the end of the step that made them.</summary>
    int WriteBufferSize { get; }

    /// <summary>The watermarks in bytes, in asyncio's order. The default is (16,384, 65,536), over TLS (131,072, 524,288).</summary>
    (int Low, int High) WriteBufferLimits { get; }

    /// <summary>
    /// Sets the watermarks, in bytes. <see cref="BaseProtocol.PauseWriting"/> is called when the buffer grows above
    /// <paramref name="high"/> (not at it), <see cref="BaseProtocol.ResumeWriting"/> when it has drained to <paramref name="low"/> or less.
    /// Given only one, the other follows: low is a quarter of high, rounded down; high is four times low. Given none, both are the
    /// defaults. A buffer that already stands above the new high pauses the protocol in this call; a lower low does not resume it.
    /// </summary>
    /// <param name="high">The high watermark. 0 makes every write immediate and pauses the protocol whenever a byte has to wait.</param>
    /// <param name="low">The low watermark, at most <paramref name="high"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit is negative, low is above high, or the limit that follows does not fit. Nothing changes.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void SetWriteBufferLimits(int? high = null, int? low = null);
}
