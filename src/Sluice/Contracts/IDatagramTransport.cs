using System.Net;

namespace Sluice;

/// <summary>A transport that sends and receives datagrams. (Guide: <i>Datagram Transports</i>.)</summary>
/// <remarks>The contract that datagram protocols are written against; no loop method of this version makes one yet.</remarks>
public interface IDatagramTransport : IBaseTransport, IWriteFlowControl
{
    /// <summary>Sends one datagram; an empty one is real. Never blocks: what the kernel does not take now is queued.</summary>
    /// <param name="data">The payload; the caller's memory is not needed after the call.</param>
    /// <param name="address">The receiver, or null for the one that the endpoint was made with.</param>
    /// <exception cref="ArgumentException">No receiver, or one other than the endpoint's own.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void SendTo(ReadOnlySpan<byte> data, EndPoint? address = null);

    /// <summary>Closes at once and drops what is queued; <see cref="BaseProtocol.ConnectionLost"/> follows with null.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void Abort();

    /// <inheritdoc cref="IReadTransport.SetProtocol"/>
    void SetProtocol(IProtocol<IDatagramTransport> protocol);
}
