using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tls;

/// <summary>
/// What is said of a peer's certificate: .NET's errors, and one that .NET does not look for on Linux. Keys and signatures that can be forged count as an
/// error of the chain. Stateless.
/// </summary>
internal static class CertificateVerdict
{
    private const int LeastRsaBits = 2048;
    private const int LeastCurveBits = 224;

    // md5WithRSAEncryption, sha1WithRSAEncryption, ecdsa-with-SHA1, and SHA-1 under its older name.
    private static readonly string[] ForgeableSignatures = ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.3.14.3.2.29"];

    /// <summary>Whether a key of the chain, or a signature below its root, is too weak. A root is trusted for what it is, not for its signature.</summary>
    public static bool IsWeak(X509Chain? chain)
    {
        if (chain is null) return false;
        for (var i = 0; i < chain.ChainElements.Count; i++)
        {
            var certificate = chain.ChainElements[i].Certificate;
            var isRoot = i > 0 && certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);
            if (HasWeakKey(certificate) || (!isRoot && ForgeableSignatures.Contains(certificate.SignatureAlgorithm.Value))) return true;
        }

        return false;
    }

    /// <summary>Why a certificate is refused that no callback of the user's has accepted, in the words of SslStream.</summary>
    public static AuthenticationException Refusal(SslPolicyErrors errors, X509Chain? chain, bool isWeak) => new(errors switch
    {
        _ when isWeak => "The remote certificate is invalid: a key or a signature of its chain is too weak.",
        SslPolicyErrors.RemoteCertificateChainErrors =>
            $"The remote certificate is invalid because of errors in the certificate chain: {string.Join(", ", chain!.ChainStatus.Select(static status => status.Status))}",
        _ => $"The remote certificate is invalid according to the validation procedure: {errors}",
    });

    private static bool HasWeakKey(X509Certificate2 certificate)
    {
        using var rsa = certificate.GetRSAPublicKey();
        if (rsa is not null) return rsa.KeySize < LeastRsaBits;
        using var curve = certificate.GetECDsaPublicKey();
        return curve?.KeySize < LeastCurveBits;
    }
}
