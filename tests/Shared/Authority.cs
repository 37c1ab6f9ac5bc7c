using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tests.Shared;

/// <summary>Issues certificates for tests, good ones and bad ones; its key lives as long as the test's process. Nothing of it is shipped.</summary>
internal sealed class Authority
{
    private const string NameConstraints = "2.5.29.30";

    private static int _serial;

    private readonly X509SignatureGenerator _signer;

    private Authority(X509Certificate2 certificate, X509SignatureGenerator signer)
    {
        Certificate = certificate;
        _signer = signer;
    }

    /// <summary>Its own certificate, with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>An authority that nobody is above.</summary>
    public static Authority CreateRoot(string name)
    {
        var plan = CertificatePlan.Authority with { Subject = $"CN={name}", ValidFrom = -30, ValidTo = 365 };
        return Create(plan, issuer: null);
    }

    /// <summary>A certificate that is signed by its own key.</summary>
    public static X509Certificate2 IssueSelfSigned(CertificatePlan plan) => Create(plan, issuer: null).Certificate;

    /// <summary>An authority below this one. A plan that is none of an authority makes one whose signatures are worth nothing.</summary>
    public Authority IssueAuthority(CertificatePlan plan) => Create(plan, this);

    /// <summary>A certificate, with its key.</summary>
    public X509Certificate2 Issue(CertificatePlan plan) => Create(plan, this).Certificate;

    private static Authority Create(CertificatePlan plan, Authority? issuer)
    {
        var subject = new X500DistinguishedName(plan.Subject);
        if (plan.Key == KeyKind.Ecdsa)
        {
            var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var signer = X509SignatureGenerator.CreateForECDsa(key);
            using var bare = Sign(new CertificateRequest(subject, key, plan.Hash), plan, issuer, signer);
            return new Authority(bare.CopyWithPrivateKey(key), signer);
        }
        else
        {
            var key = RSA.Create(plan.Key == KeyKind.Rsa1024 ? 1024 : 2048);
            var signer = X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1);
            using var bare = Sign(new CertificateRequest(subject, key, plan.Hash, RSASignaturePadding.Pkcs1), plan, issuer, signer);
            return new Authority(bare.CopyWithPrivateKey(key), signer);
        }
    }

    private static X509Certificate2 Sign(CertificateRequest request, CertificatePlan plan, Authority? issuer, X509SignatureGenerator own)
    {
        var extensions = request.CertificateExtensions;
        extensions.Add(new X509BasicConstraintsExtension(plan.IsAuthority, plan.PathLength.HasValue, plan.PathLength ?? 0, critical: true));
        extensions.Add(new X509KeyUsageExtension(
            plan.IsAuthority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature, critical: true));
        extensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (issuer is not null) extensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer.Certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        if (plan.Usages.Length > 0) extensions.Add(new X509EnhancedKeyUsageExtension([.. plan.Usages.Select(static usage => new Oid(usage))], critical: false));
        if (plan.Hosts.Length + plan.Addresses.Length > 0) extensions.Add(AlternativeNames(plan));
        if (plan.PermittedDomain is { } domain) extensions.Add(new X509Extension(NameConstraints, PermittedDomain(domain), critical: true));

        var now = DateTimeOffset.UtcNow;
        var signer = issuer?._signer ?? own;
        if (plan.Hash == HashAlgorithmName.SHA1) signer = new Sha1Signer(signer);
        var serial = BitConverter.GetBytes(Interlocked.Increment(ref _serial));
        return request.Create(issuer?.Certificate.SubjectName ?? request.SubjectName, signer, now.AddDays(plan.ValidFrom), now.AddDays(plan.ValidTo), [1, .. serial]);
    }

    private static X509Extension AlternativeNames(CertificatePlan plan)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in plan.Hosts) names.AddDnsName(host);
        foreach (var address in plan.Addresses) names.AddIpAddress(address);
        return names.Build(critical: plan.Subject.Length == 0);
    }

    // NameConstraints ::= SEQUENCE { permittedSubtrees [0] SEQUENCE OF SEQUENCE { base [2] IA5String } }
    private static byte[] PermittedDomain(string domain)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (writer.PushSequence())
        {
            writer.WriteCharacterString(UniversalTagNumber.IA5String, domain, new Asn1Tag(TagClass.ContextSpecific, 2));
        }

        return writer.Encode();
    }
}
