using System.Net;
using System.Security.Cryptography;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>
/// Certificates, good ones and bad ones, and what the side that is shown them has to say. Each differs in one point from one that is right. All
/// sides trust one root alone.
/// </summary>
internal static class CertificateMatrix
{
    private const string Accepted = CertificateRow.Accepted;
    private const string WrongName = "RemoteCertificateNameMismatch";
    private const string WrongTime = "NotTimeValid";
    private const string WrongUsage = "NotValidForUsage";
    private const string WrongAuthority = "InvalidBasicConstraints";
    private const string NoWayToRoot = "PartialChain";
    private const string TooWeak = "weak";

    private static readonly CertificatePlan Server = new();
    private static readonly CertificatePlan Client = CertificatePlan.Client;
    private static readonly CertificatePlan Middle = CertificatePlan.Authority;

    private static Authority Root => TlsParties.Root;

    /// <summary>What a server shows, and our client says.</summary>
    public static IReadOnlyList<CertificateRow> Servers { get; } =
    [
        new("right, ECDSA", Accepted, Below(Server)),
        new("right, RSA", Accepted, Below(Server with { Key = KeyKind.Rsa2048 })),
        new("right, below an intermediate authority", Accepted, Below(Server, Middle)),
        new("right, below two", Accepted, Below(Server, Middle, Middle with { Subject = "CN=Lower" })),
        new("no usage said", Accepted, Below(Server with { Usages = [] })),
        new("usage: server and client", Accepted, Below(Server with { Usages = [CertificatePlan.ServerUsage, CertificatePlan.ClientUsage] })),
        new("usage: client", WrongUsage, Below(Server with { Usages = [CertificatePlan.ClientUsage] })),
        new("usage: code signing", WrongUsage, Below(Server with { Usages = [CertificatePlan.CodeSigningUsage] })),

        new("expired", WrongTime, Below(Server with { ValidFrom = -10, ValidTo = -1 })),
        new("not yet valid", WrongTime, Below(Server with { ValidFrom = 2, ValidTo = 10 })),
        new("authority expired", WrongTime, Below(Server, Middle with { ValidFrom = -10, ValidTo = -1 })),

        new("no names but one in the subject", Accepted, Below(Server with { Subject = "CN=localhost", Hosts = [] })),
        new("no subject", Accepted, Below(Server with { Subject = "" })),
        new("other host", WrongName, Below(Server with { Hosts = ["example.com"] })),
        new("other host, right one in the subject", WrongName, Below(Server with { Subject = "CN=localhost", Hosts = ["example.com"] })),
        new("no name at all", WrongName, Below(Server with { Subject = "O=Nobody", Hosts = [] })),
        new("longer name", WrongName, Below(Server with { Hosts = ["localhost.example.com"] })),
        new("address", Accepted, Below(Server with { Hosts = [], Addresses = [IPAddress.Loopback] })) { Host = "127.0.0.1" },
        new("address, IPv6", Accepted, Below(Server with { Hosts = [], Addresses = [IPAddress.IPv6Loopback] })) { Host = "::1" },
        new("other address", WrongName, Below(Server with { Hosts = [], Addresses = [IPAddress.Parse("127.0.0.2")] })) { Host = "127.0.0.1" },
        new("address as a name", WrongName, Below(Server with { Hosts = ["127.0.0.1"] })) { Host = "127.0.0.1" },
        new("wildcard", Accepted, Below(Server with { Hosts = ["*.example.com"] })) { Host = "www.example.com" },
        new("wildcard, two labels", WrongName, Below(Server with { Hosts = ["*.example.com"] })) { Host = "a.www.example.com" },
        new("wildcard, no label", WrongName, Below(Server with { Hosts = ["*.example.com"] })) { Host = "example.com" },
        new("wildcard of a top domain", WrongName, Below(Server with { Hosts = ["*.com"] })) { Host = "example.com" },
        new("wildcard of everything", WrongName, Below(Server with { Hosts = ["*"] })),

        new("self-signed", "UntrustedRoot", static () => new ShownCertificate(Authority.IssueSelfSigned(Server))),
        new("unknown authority", NoWayToRoot, static () => new ShownCertificate(Authority.CreateRoot("Unknown").Issue(Server))),
        new("unknown authority with the root's name", NoWayToRoot, static () => new ShownCertificate(Authority.CreateRoot("Sluice Test Root").Issue(Server))),
        new("intermediate authority not shown", NoWayToRoot, static () => new ShownCertificate(Root.IssueAuthority(Middle).Issue(Server))),
        new("intermediate that is no authority", WrongAuthority, Below(Server, Middle with { IsAuthority = false })),
        new("signed by another server", WrongAuthority, Below(Server, Server with { Hosts = ["example.com"] })),
        new("path too long", WrongAuthority, Below(Server, Middle with { PathLength = 0 }, Middle with { Subject = "CN=Lower" })),
        new("path as long as allowed", Accepted, Below(Server, Middle with { PathLength = 1 }, Middle with { Subject = "CN=Lower" })),
        new("authority for other names", "NameConstraint", Below(Server, Middle with { PermittedDomain = "example.com" })),
        new("authority for this name", Accepted, Below(Server with { Hosts = ["www.example.com"] }, Middle with { PermittedDomain = "example.com" })) { Host = "www.example.com" },

        new("weak key", TooWeak, Below(Server with { Key = KeyKind.Rsa1024 })) { IsTooWeakToShow = true },
        new("weak key of the authority", TooWeak, Below(Server, Middle with { Key = KeyKind.Rsa1024 })) { IsTooWeakToShow = true },
        new("signed with SHA-1", TooWeak, Below(Server with { Hash = HashAlgorithmName.SHA1 })) { IsTooWeakToShow = true },
        new("authority signed with SHA-1", TooWeak, Below(Server, Middle with { Hash = HashAlgorithmName.SHA1 })) { IsTooWeakToShow = true },
    ];

    /// <summary>What a client shows, and our server says that requires a certificate.</summary>
    public static IReadOnlyList<CertificateRow> Clients { get; } =
    [
        new("right, ECDSA", Accepted, Below(Client)),
        new("right, RSA", Accepted, Below(Client with { Key = KeyKind.Rsa2048 })),
        new("right, below an intermediate authority", Accepted, Below(Client, Middle)),
        new("no usage said", Accepted, Below(Client with { Usages = [] })),
        new("none", "RemoteCertificateNotAvailable", static () => new ShownCertificate(null)),
        new("usage: server", WrongUsage, Below(Client with { Usages = [CertificatePlan.ServerUsage] })),
        new("expired", WrongTime, Below(Client with { ValidFrom = -10, ValidTo = -1 })),
        new("not yet valid", WrongTime, Below(Client with { ValidFrom = 2, ValidTo = 10 })),
        new("self-signed", "UntrustedRoot", static () => new ShownCertificate(Authority.IssueSelfSigned(Client))),
        new("unknown authority", NoWayToRoot, static () => new ShownCertificate(Authority.CreateRoot("Unknown").Issue(Client))),
        new("intermediate authority not shown", NoWayToRoot, static () => new ShownCertificate(Root.IssueAuthority(Middle).Issue(Client))),
        new("signed by another client", WrongAuthority, Below(Client, Client with { Subject = "CN=other" })),
        new("weak key", TooWeak, Below(Client with { Key = KeyKind.Rsa1024 })) { IsTooWeakToShow = true },
        new("signed with SHA-1", TooWeak, Below(Client with { Hash = HashAlgorithmName.SHA1 })) { IsTooWeakToShow = true },
    ];

    /// <summary>A certificate below authorities, the highest first, the first of them below the root.</summary>
    private static Func<ShownCertificate> Below(CertificatePlan leaf, params CertificatePlan[] authorities) => () =>
    {
        var issuer = Root;
        var shown = new ShownCertificate(null);
        foreach (var plan in authorities)
        {
            issuer = issuer.IssueAuthority(plan);
            shown.Chain.Insert(0, issuer.Certificate);
        }

        return shown with { Leaf = issuer.Issue(leaf) };
    };
}
