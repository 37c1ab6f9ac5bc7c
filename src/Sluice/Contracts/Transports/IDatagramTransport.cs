using System.Net;

namespace Sluice;

/// <summary>A transport that sends and receives datagrams: UDP, or Unix datagrams. (Guide: <i>Datagram Transports</i>.)</summary>
/// <remarks>
/// <para>Made by <see cref="EventLoop.CreateDatagramEndpointAsync{TProtocol}(Func{TProtocol}, EndPoint?, EndPoint?, DatagramOptions?, CancellationToken)"/>. A datagram arrives whole
/// or not at all: it is never split, and two are never joined. It may also arrive twice, or after one that was sent later.</para>
/// <para><see cref="IWriteFlowControl.WriteBufferSize"/> counts 8 bytes for each datagram beside its payload. UDP has no flow control of its own: the system takes
/// datagrams faster than the network and drops the rest without a word, so <see cref="BaseProtocol.PauseWriting"/> comes seldom and its absence promises nothing.</para>
/// </remarks>
public interface IDatagramTransport : IBaseTransport, IWriteFlowControl
{
    /// <summary>
    /// Sends one datagram; an empty one is real. Never blocks: datagrams leave at the end of the step (or at once: large ones, and many), and what the kernel does not take then is
    /// queued. A datagram that the system refuses is lost, and <see cref="DatagramProtocol.ErrorReceived"/> is told; the others go on. Once the endpoint is closed, sends are dropped.
    /// (asyncio: <c>sendto</c>.)
    /// </summary>
    /// <param name="data">The payload; the caller's memory is not needed after the call. UDP carries at most 65,507 bytes over IPv4.</param>
    /// <param name="address">The receiver, never a name; or null for the one that the endpoint was made with.</param>
    /// <exception cref="ArgumentException">
    /// No receiver; on a connected endpoint, one other than its own; a name that is not resolved; an address of another family.
    /// </exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void SendTo(ReadOnlySpan<byte> data, EndPoint? address = null);

    /// <summary>Closes at once and drops what is queued; <see cref="BaseProtocol.ConnectionLost"/> follows with null.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void Abort();

    /// <inheritdoc cref="IReadTransport.SetProtocol"/>
    void SetProtocol(IProtocol<IDatagramTransport> protocol);

    /// <summary>
    /// Receives what is sent to a multicast group from here on, on the endpoint's port. What it sends itself needs no membership. The memberships end with the endpoint. (asyncio has no
    /// counterpart; its users set an option of the socket.)
    /// </summary>
    /// <param name="group">A multicast address of the endpoint's family.</param>
    /// <param name="interfaceIndex">The index of the network interface to receive on, or 0: the system chooses.</param>
    /// <param name="source">The only sender to be heard (source-specific multicast), or null for all.</param>
    /// <exception cref="ArgumentException">An address of another family, or a group that is no multicast address.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The system refuses: a member already, no such interface, too many groups.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    /// <exception cref="ObjectDisposedException">The endpoint is closed.</exception>
    void JoinMulticastGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null);

    /// <summary>Ends a membership; the arguments are those of <see cref="JoinMulticastGroup"/>.</summary>
    /// <inheritdoc cref="JoinMulticastGroup"/>
    void LeaveMulticastGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null);
}
