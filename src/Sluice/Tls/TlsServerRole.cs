using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tls;

/// <summary>The side that accepts.</summary>
internal sealed class TlsServerRole : TlsRole
{
    private readonly Credentials _credentials;

    private TlsServerRole(TlsServerOptions options) : base(options)
    {
        if (options.Prepared is not Credentials prepared || prepared.Source != options.Authentication)
        {
            options.Prepared = prepared = new Credentials(options.Authentication);
        }

        _credentials = prepared;
    }

    public override bool IsServer => true;

    /// <exception cref="ArgumentException">No certificate, or a number that cannot be.</exception>
    public static TlsServerRole Of(TlsServerOptions options, string parameter)
    {
        Check(options, parameter);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxHandshakes, parameter);
        if (options.Authentication is { ServerCertificate: null, ServerCertificateContext: null, ServerCertificateSelectionCallback: null })
        {
            throw new ArgumentException("A TLS server needs a certificate: set ServerCertificate, ServerCertificateContext or ServerCertificateSelectionCallback.", parameter);
        }

        return new TlsServerRole(options);
    }

    public override Task AuthenticateAsync(SslStream stream) => _credentials.Shared is { } options
        ? stream.AuthenticateAsServerAsync(options, CancellationToken.None)
        : stream.AuthenticateAsServerAsync(
            static (stream, hello, credentials, _) => new ValueTask<SslServerAuthenticationOptions>(((Credentials)credentials!).Select(stream, hello)),
            _credentials,
            CancellationToken.None);

    /// <summary>
    /// What is costly to make of the options: certificates with their chains, built from what is at hand, once for each. SslStream would build the chain of a
    /// certificate that the user's callback chooses anew for each connection, and fetch what is missing.
    /// </summary>
    private sealed class Credentials(SslServerAuthenticationOptions source)
    {
        private readonly ConditionalWeakTable<X509Certificate2, SslServerAuthenticationOptions> _selected = [];

        public SslServerAuthenticationOptions Source { get; } = source;

        /// <summary>What all connections share where no callback chooses.</summary>
        public SslServerAuthenticationOptions? Shared { get; } = source switch
        {
            { ServerCertificateSelectionCallback: not null } => null,
            { ServerCertificateContext: { } context } => Copy(source, context),
            _ => Copy(source, Build(source.ServerCertificate!)),
        };

        public SslServerAuthenticationOptions Select(SslStream stream, SslClientHelloInfo hello)
        {
            X509Certificate? chosen;
            using (new UserCode()) chosen = Source.ServerCertificateSelectionCallback!(stream, hello.ServerName);
            if (chosen is null) throw new AuthenticationException("The callback that selects a certificate has returned none.");
            return _selected.GetValue(AsCertificate2(chosen), certificate => Copy(Source, Build(certificate)));
        }

        private static SslServerAuthenticationOptions Copy(SslServerAuthenticationOptions source, SslStreamCertificateContext context)
        {
            var copy = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = context,
                AllowRenegotiation = false,
                AllowTlsResume = source.AllowTlsResume,
                ApplicationProtocols = source.ApplicationProtocols is { } protocols ? [.. protocols] : null,
                CertificateChainPolicy = source.CertificateChainPolicy
                    ?? (source.ServerCertificateContext is null ? PolicyWithoutNetwork(source.CertificateRevocationCheckMode) : null),
                CertificateRevocationCheckMode = source.CertificateRevocationCheckMode,
                CipherSuitesPolicy = source.CipherSuitesPolicy,
                ClientCertificateRequired = source.ClientCertificateRequired,
                EnabledSslProtocols = source.EnabledSslProtocols == 0 ? ModernProtocols : source.EnabledSslProtocols,
                EncryptionPolicy = source.EncryptionPolicy,
                RemoteCertificateValidationCallback = Judge(source.RemoteCertificateValidationCallback, isOptional: !source.ClientCertificateRequired),
            };
            if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows()) return copy;
            copy.AllowRsaPkcs1Padding = source.AllowRsaPkcs1Padding;
            copy.AllowRsaPssPadding = source.AllowRsaPssPadding;
            return copy;
        }

        private static X509Certificate2 AsCertificate2(X509Certificate certificate) => certificate as X509Certificate2 ?? new X509Certificate2(certificate);

        private static SslStreamCertificateContext Build(X509Certificate certificate) =>
            SslStreamCertificateContext.Create(AsCertificate2(certificate), null, offline: true);
    }
}
