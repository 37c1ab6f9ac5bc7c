using System.Net;
using System.Security.Cryptography;

namespace Sluice.Tests.Shared;

/// <summary>What a certificate is to say. The default is right for a server at "localhost", in every respect.</summary>
internal sealed record CertificatePlan
{
    public const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    public const string ClientUsage = "1.3.6.1.5.5.7.3.2";
    public const string CodeSigningUsage = "1.3.6.1.5.5.7.3.3";

    /// <summary>Right for a client.</summary>
    public static CertificatePlan Client { get; } = new() { Subject = "CN=client", Hosts = [], Usages = [ClientUsage] };

    /// <summary>Right for an authority below another one.</summary>
    public static CertificatePlan Authority { get; } = new() { Subject = "CN=Intermediate", Hosts = [], Usages = [], IsAuthority = true };

    /// <summary>The distinguished name, which may be empty.</summary>
    public string Subject { get; init; } = "CN=server";

    /// <summary>DNS names in the alternative names.</summary>
    public string[] Hosts { get; init; } = ["localhost"];

    /// <summary>Addresses in the alternative names.</summary>
    public IPAddress[] Addresses { get; init; } = [];

    /// <summary>Days from now until it is valid.</summary>
    public int ValidFrom { get; init; } = -1;

    /// <summary>Days from now until it is valid no more.</summary>
    public int ValidTo { get; init; } = 30;

    public KeyKind Key { get; init; } = KeyKind.Ecdsa;

    /// <summary>With what the issuer signs.</summary>
    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    /// <summary>What it may be used for (extended key usage); none says nothing about it.</summary>
    public string[] Usages { get; init; } = [ServerUsage];

    /// <summary>May sign others (CA:true).</summary>
    public bool IsAuthority { get; init; }

    /// <summary>How many authorities there may be below this one; null is no limit.</summary>
    public int? PathLength { get; init; }

    /// <summary>For an authority: all names below it have to be in this domain; null is no limit.</summary>
    public string? PermittedDomain { get; init; }
}
