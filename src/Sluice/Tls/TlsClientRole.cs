using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tls;

/// <summary>The side that connects, for one host.</summary>
internal sealed class TlsClientRole : TlsRole
{
    private readonly SslClientAuthenticationOptions _authentication;

    private TlsClientRole(TlsClientOptions options, string host) : base(options)
    {
        if (options.Prepared is not Credentials prepared || prepared.Source != options.Authentication)
        {
            options.Prepared = prepared = new Credentials(options.Authentication);
        }

        _authentication = Copy(options.Authentication, prepared.Context, host);
    }

    public override bool IsServer => false;

    /// <param name="options">The user's options.</param>
    /// <param name="host">The host that is connected to, or null where the connection names none.</param>
    /// <param name="parameter">The parameter that holds the options.</param>
    /// <exception cref="ArgumentException">Neither names a host.</exception>
    public static TlsClientRole Of(TlsClientOptions options, string? host, string parameter)
    {
        Check(options, parameter);
        var name = options.Authentication.TargetHost ?? host;
        if (name is null || (name.Length == 0 && options.Authentication.TargetHost is null))
        {
            throw new ArgumentException(
                "TLS needs the name of the server, and nothing names one here: set Authentication.TargetHost, to \"\" where no name is to be checked.", parameter);
        }

        return new TlsClientRole(options, name);
    }

    public override Task AuthenticateAsync(SslStream stream) => stream.AuthenticateAsClientAsync(_authentication, CancellationToken.None);

    private static SslClientAuthenticationOptions Copy(SslClientAuthenticationOptions source, SslStreamCertificateContext? context, string host)
    {
        var judge = Judge(source.RemoteCertificateValidationCallback);
        var copy = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            RemoteCertificateValidationCallback = host.Length > 0
                ? judge
                : (sender, certificate, chain, errors) => judge(sender, certificate, chain, errors & ~SslPolicyErrors.RemoteCertificateNameMismatch),
            AllowRenegotiation = false,
            AllowTlsResume = source.AllowTlsResume,
            ApplicationProtocols = source.ApplicationProtocols is { } protocols ? [.. protocols] : null,
            CertificateChainPolicy = source.CertificateChainPolicy
                ?? (source.ClientCertificateContext is null ? PolicyWithoutNetwork(source.CertificateRevocationCheckMode) : null),
            CertificateRevocationCheckMode = source.CertificateRevocationCheckMode,
            CipherSuitesPolicy = source.CipherSuitesPolicy,
            ClientCertificateContext = context,
            ClientCertificates = context is null ? source.ClientCertificates : null,
            EnabledSslProtocols = source.EnabledSslProtocols == 0 ? ModernProtocols : source.EnabledSslProtocols,
            EncryptionPolicy = source.EncryptionPolicy,
            LocalCertificateSelectionCallback = Wrap(source.LocalCertificateSelectionCallback),
        };
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows()) return copy;
        copy.AllowRsaPkcs1Padding = source.AllowRsaPkcs1Padding;
        copy.AllowRsaPssPadding = source.AllowRsaPssPadding;
        return copy;
    }

    private static LocalCertificateSelectionCallback? Wrap(LocalCertificateSelectionCallback? callback) =>
        callback is null ? null : (sender, host, local, remote, issuers) =>
        {
            using var onLoop = new UserCode();
            return callback(sender, host, local, remote, issuers);
        };

    /// <summary>What is costly to make of the options: the client's certificate with its chain, built from what is at hand.</summary>
    private sealed class Credentials(SslClientAuthenticationOptions source)
    {
        public SslClientAuthenticationOptions Source { get; } = source;

        public SslStreamCertificateContext? Context { get; } = source.ClientCertificateContext ?? Build(source);

        private static SslStreamCertificateContext? Build(SslClientAuthenticationOptions source) =>
            source is { LocalCertificateSelectionCallback: null, ClientCertificates: [X509Certificate2 { HasPrivateKey: true } only] }
                ? SslStreamCertificateContext.Create(only, null, offline: true) : null;
    }
}
