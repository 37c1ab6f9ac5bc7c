using System.Security.Cryptography.X509Certificates;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>One row of the certificate matrix.</summary>
/// <param name="Name">What is special about the certificate.</param>
/// <param name="Verdict">What the other side says: <see cref="Accepted"/>, or a word of the reason why it refuses.</param>
/// <param name="Make">Makes it, with what is shown along with it.</param>
internal sealed record CertificateRow(string Name, string Verdict, Func<ShownCertificate> Make)
{
    public const string Accepted = "accepted";

    private readonly Lazy<ShownCertificate> _shown = new(Make);

    /// <summary>The name that the client asks for.</summary>
    public string Host { get; init; } = TlsParties.Host;

    /// <summary>.NET's server or client does not even show it, because OpenSSL below finds it too weak: only others do.</summary>
    public bool IsTooWeakToShow { get; init; }

    public bool IsAccepted => Verdict == Accepted;

    public ShownCertificate Shown => _shown.Value;
}

/// <summary>A certificate as one side shows it.</summary>
/// <param name="Leaf">The certificate, with its key; null shows none.</param>
/// <param name="Chain">The authorities between it and the root.</param>
internal sealed record ShownCertificate(X509Certificate2? Leaf, params X509Certificate2Collection Chain);
