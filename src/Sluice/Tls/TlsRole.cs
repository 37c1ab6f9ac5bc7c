using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Sluice.Loop;

namespace Sluice.Tls;

/// <summary>
/// One side of TLS, ready to use: the user's options as they are handed to SslStream, with Sluice's defaults and the user's callbacks wrapped. Shared by
/// all connections that are made with them.
/// </summary>
internal abstract class TlsRole(TlsOptions options)
{
    /// <summary>The versions where the user asks for none: what is older than 1.2 is broken.</summary>
    private protected const SslProtocols ModernProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    public TlsOptions Options { get; } = options;

    public abstract bool IsServer { get; }

    /// <summary>Begins the handshake.</summary>
    public abstract Task AuthenticateAsync(SslStream stream);

    /// <exception cref="ArgumentOutOfRangeException">A deadline that is none.</exception>
    public static void Check(TlsOptions options, string parameter)
    {
        CheckDeadline(options.HandshakeTimeout, parameter);
        CheckDeadline(options.ShutdownTimeout, parameter);
    }

    /// <summary>
    /// How certificates are judged where the user says nothing: nothing is fetched from the network, which would block the loop's thread for as long as somebody
    /// else's server takes.
    /// </summary>
    private protected static X509ChainPolicy PolicyWithoutNetwork(X509RevocationMode revocation) =>
        new() { RevocationMode = revocation, RevocationFlag = X509RevocationFlag.ExcludeRoot, DisableCertificateDownloads = revocation == X509RevocationMode.NoCheck };

    /// <summary>Judges a peer's certificate: the user's callback has the last word, where there is one.</summary>
    /// <param name="callback">The user's, or null.</param>
    /// <param name="isOptional">Where there is none: a peer without a certificate is right too.</param>
    private protected static RemoteCertificateValidationCallback Judge(RemoteCertificateValidationCallback? callback, bool isOptional = false) =>
        (sender, certificate, chain, errors) =>
        {
            var isWeak = CertificateVerdict.IsWeak(chain);
            if (isWeak) errors |= SslPolicyErrors.RemoteCertificateChainErrors;
            if (callback is null)
            {
                if (isOptional) errors &= ~SslPolicyErrors.RemoteCertificateNotAvailable;
                return errors == SslPolicyErrors.None ? true : throw CertificateVerdict.Refusal(errors, chain, isWeak);
            }

            using var onLoop = new UserCode();
            return callback(sender, certificate, chain, errors);
        };

    private static void CheckDeadline(TimeSpan deadline, string parameter)
    {
        if (deadline <= TimeSpan.Zero) throw new ArgumentOutOfRangeException(parameter, deadline, "The deadlines of TLS are positive.");
    }

    /// <summary>The span of a callback of the user's inside SslStream: awaits in it belong to the loop again.</summary>
    private protected readonly ref struct UserCode
    {
        private readonly SynchronizationContext? _previous;

        public UserCode()
        {
            _previous = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(LoopCore.Current?.SynchronizationContext);
        }

        public void Dispose() => SynchronizationContext.SetSynchronizationContext(_previous);
    }
}
