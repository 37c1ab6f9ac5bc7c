namespace Sluice.Testing;

/// <summary>What a check asks of the stage that it runs on, beyond two connected protocols.</summary>
[Flags]
public enum CheckNeeds
{
    /// <summary>Any stage will do.</summary>
    None = 0,

    /// <summary>A TCP connection of the library's own; of datagram endpoints, UDP.</summary>
    Tcp = 1,

    /// <summary>A Unix socket of the library's own.</summary>
    Unix = 2,

    /// <summary>A kernel that can be told to fail.</summary>
    Faults = 4,

    /// <summary>A clock that jumps over waits.</summary>
    VirtualTime = 8,

    /// <summary>The library's own transports, servers and connects on one of its kernels: only a <see cref="KernelStage"/> offers it.</summary>
    Kernel = 16,

    /// <summary>An abort reaches the peer as a <see cref="System.Net.Sockets.SocketException"/> that says ConnectionReset, behind the bytes that came before it.</summary>
    Reset = 32,

    /// <summary>The sending side can be ended alone: <see cref="IWriteTransport.CanWriteEof"/> is true.</summary>
    HalfClose = 64,

    /// <summary>Connections obey <see cref="StreamOptions.MaxWriteBufferSize"/> of the options that they are made with.</summary>
    BufferLimit = 128,

    /// <summary>A datagram endpoint of the library's own that can be made to wait for room to send.</summary>
    DatagramRoom = 256,

    /// <summary>Each end is made, and ends when it closes, without the other's doing: there is no handshake and no exchange of goodbyes.</summary>
    Alone = 512,
}
