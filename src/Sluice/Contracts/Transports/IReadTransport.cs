namespace Sluice;

/// <summary>A transport that receives a stream of bytes. (Guide: <i>Read-only Transports</i>.)</summary>
public interface IReadTransport : IBaseTransport
{
    /// <summary>True while received bytes would be delivered: not paused, not closing, and the peer has not ended its stream.</summary>
    bool IsReading { get; }

    /// <summary>
    /// Stops delivery at once: after this call the protocol gets no data and no end of stream until <see cref="ResumeReading"/>.
    /// Bytes that the kernel had handed over already are kept. Does nothing when paused, closing, or after the end of the stream.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void PauseReading();

    /// <summary>
    /// Allows delivery again. Nothing is delivered inside this call: it starts in a later turn, with what was kept back first. Does
    /// nothing when reading, closing, or after the end of the stream.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void ResumeReading();

    /// <summary>
    /// Hands the transport to another protocol, which gets all later events but no second <c>ConnectionMade</c>. Only for two protocols
    /// that both document that they can be exchanged. What has been written is handed to the kernel first.
    /// </summary>
    /// <param name="protocol">The protocol to call from now on. It must not be serving another transport.</param>
    /// <exception cref="ArgumentNullException"><paramref name="protocol"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="protocol"/> serves another transport.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void SetProtocol(IProtocol<IReadTransport> protocol);
}
