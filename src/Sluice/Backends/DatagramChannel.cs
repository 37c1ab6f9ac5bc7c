using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>One datagram socket in a backend: whole messages in, whole messages out. Owned by its transport; used on the loop's thread.</summary>
internal abstract class DatagramChannel
{
    /// <summary>
    /// The most datagrams that one Poll delivers from a channel: others on the loop are to have their turn. Looked at before each receive, so what the kernel has merged in one is delivered
    /// in full.
    /// </summary>
    public const int MostPerPoll = 64;

    /// <summary>The most bytes that one Poll delivers from a channel, looked at after each datagram.</summary>
    public const int MostBytesPerPoll = 256 * 1024;

    /// <summary>The descriptor, or -1 once it is closed.</summary>
    public abstract nint Handle { get; }

    /// <summary>The family of its addresses, also where it has none.</summary>
    public abstract AddressFamily Family { get; }

    /// <summary>The local address, or null where there is none. Keeps its answer after the close.</summary>
    public abstract EndPoint? LocalName { get; }

    /// <summary>The only peer, where the socket is connected; else null. Keeps its answer after the close.</summary>
    public abstract EndPoint? PeerName { get; }

    /// <summary>It has one peer, with a name or without: nothing is sent elsewhere.</summary>
    public abstract bool IsConnected { get; }

    /// <summary>The socket for users to look at, the same object at every call, or null where the backend has none.</summary>
    public abstract TransportSocket? Socket { get; }

    /// <summary>Names the sink: once, before anything else.</summary>
    public abstract void Attach(IDatagramSink sink);

    /// <summary>Arms receiving, until Close. Idempotent.</summary>
    public abstract void StartReading();

    /// <summary>
    /// Offers the queued datagrams to the kernel in their order, without waiting, and takes none out of the queue. Would-block is no error. An error is about the datagram
    /// behind those that were sent, which the kernel has refused.
    /// </summary>
    /// <returns>How many datagrams were sent.</returns>
    public abstract int TrySend(in DatagramQueue queue, out IoError error);

    /// <summary>Has <see cref="IDatagramSink.OnRoom"/> called once, from Poll, when the kernel has room to send.</summary>
    public abstract void AwaitRoom();

    /// <summary>Begins or ends the membership in a multicast group; its family is the socket's.</summary>
    /// <param name="join">Begins it.</param>
    /// <param name="group">A multicast address.</param>
    /// <param name="interfaceIndex">The network interface, or 0.</param>
    /// <param name="source">The only sender to be heard, or null.</param>
    /// <returns>Why not.</returns>
    public abstract IoError SetMembership(bool join, IPAddress group, int interfaceIndex, IPAddress? source);

    /// <summary>Lets the socket go; <see cref="IDatagramSink.OnClosed"/> follows, from a later Poll. Nothing is waited for.</summary>
    public abstract void Close();
}

/// <summary>What a datagram channel reports to, always from Poll: the transport. Any call may close the channel; nothing but the end of the batch and OnClosed comes after that.</summary>
internal interface IDatagramSink
{
    /// <summary>One datagram has arrived; it may be empty. The span is good during the call.</summary>
    /// <param name="data">The payload, whole.</param>
    /// <param name="sender">Who sent it, or null for a Unix socket without a name.</param>
    void OnDatagram(ReadOnlySpan<byte> data, EndPoint? sender);

    /// <summary>A datagram was longer than the memory to receive it and was dropped.</summary>
    void OnTruncated();

    /// <summary>A receive failed, for example because of an answer by ICMP to something sent before. Receiving goes on.</summary>
    void OnReceiveFailed(IoError reason);

    /// <summary>What one event brought has been reported: the step ends.</summary>
    void OnBatchEnd();

    /// <summary>The kernel has room again, as asked for.</summary>
    void OnRoom();

    /// <summary>After Close: the kernel holds nothing of ours any more. The last call.</summary>
    void OnClosed();
}
