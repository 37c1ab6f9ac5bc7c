namespace Sluice.Testing;

/// <summary>What a simulated packet is for.</summary>
public enum PacketKind
{
    /// <summary>Asks for a connection.</summary>
    Connect,

    /// <summary>The answer to a connect that a listener takes.</summary>
    Accepted,

    /// <summary>Bytes of the stream.</summary>
    Data,

    /// <summary>The end of the sender's stream.</summary>
    Fin,

    /// <summary>The connection is torn down, or a connect is refused. Nobody sends it again where it is lost.</summary>
    Reset,

    /// <summary>A datagram over UDP. Nobody sends it again where it is lost.</summary>
    Datagram,

    /// <summary>The answer of a host that nobody there takes a datagram (ICMP). It does not come back where it is lost.</summary>
    Refusal,
}
