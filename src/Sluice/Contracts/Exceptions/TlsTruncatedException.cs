namespace Sluice;

/// <summary>
/// The connection below a TLS transport ended without TLS's own goodbye (close_notify): the peer may have ended, or somebody may have cut the stream.
/// It reaches <see cref="BaseProtocol.ConnectionLost"/> unless <see cref="TlsOptions.AllowTruncation"/> is set.
/// </summary>
public sealed class TlsTruncatedException : IOException
{
    /// <summary>With the default message.</summary>
    public TlsTruncatedException()
        : base("The connection ended without a TLS close_notify: what came before may not be all that the peer has sent.")
    {
    }
}
