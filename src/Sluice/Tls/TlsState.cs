namespace Sluice.Tls;

/// <summary>Where a TLS connection stands. A struct inside its channel; only the named transitions change it, each true once.</summary>
/// <remarks>
/// <code>
///              TryOpen          TryShutDown             TryEnd
/// Handshaking ----------- Open ------------- ShuttingDown ----- Closed
///      |                    |    close_notify is sent             |
///      +--------------------+---------- TryEnd -------------------+
/// </code>
/// Handshaking and Closed encrypt nothing; ShuttingDown reads and drops until the peer's close_notify.
/// </remarks>
internal struct TlsState
{
    public TlsPhase Phase { get; private set; }

    public bool TryOpen() => Move(TlsPhase.Handshaking, TlsPhase.Open);

    public bool TryShutDown() => Move(TlsPhase.Open, TlsPhase.ShuttingDown);

    public bool TryEnd()
    {
        if (Phase == TlsPhase.Closed) return false;
        Phase = TlsPhase.Closed;
        return true;
    }

    private bool Move(TlsPhase from, TlsPhase to)
    {
        if (Phase != from) return false;
        Phase = to;
        return true;
    }
}

/// <summary>The phases of a TLS connection.</summary>
internal enum TlsPhase : byte
{
    Handshaking,
    Open,
    ShuttingDown,
    Closed,
}
