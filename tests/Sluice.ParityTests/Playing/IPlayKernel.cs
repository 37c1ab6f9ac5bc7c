using System.Net;
using System.Runtime.InteropServices;

namespace Sluice.ParityTests.Playing;

/// <summary>What a world needs of the kernel below it.</summary>
internal interface IPlayKernel
{
    EventLoop Loop { get; }

    /// <summary>An address that nobody listens at.</summary>
    EndPoint NewAddress(bool isUnix);

    /// <summary>For UDP: an address that nobody has.</summary>
    EndPoint UnusedAddress();

    /// <summary>Two connected Unix datagram sockets without names that no transport holds yet.</summary>
    (SafeHandle First, SafeHandle Second) DatagramPair();

    /// <summary>Two connected sockets that no transport holds yet.</summary>
    (SafeHandle First, SafeHandle Second) Pair();

    /// <summary>The two ends of a pipe that no transport holds yet.</summary>
    (SafeHandle Reader, SafeHandle Writer) Pipe();
}
