namespace Sluice.Sweep.Tls;

/// <summary>Whether a connection is a TLS one.</summary>
internal enum Security
{
    None,

    /// <summary>From its beginning.</summary>
    Tls,

    /// <summary>It begins without, and is upgraded once both ends have agreed.</summary>
    StartTls,
}
