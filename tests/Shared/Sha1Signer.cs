using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tests.Shared;

/// <summary>Signs with ECDSA over SHA-1, which the runtime's own signers refuse. Made for one certificate.</summary>
internal sealed class Sha1Signer(X509SignatureGenerator signer) : X509SignatureGenerator
{
    // SEQUENCE { OID 1.2.840.10045.4.1 }
    private static readonly byte[] EcdsaWithSha1 = [0x30, 0x09, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01];

    public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => EcdsaWithSha1;

    public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => signer.SignData(data, hashAlgorithm);

    protected override PublicKey BuildPublicKey() => signer.PublicKey;
}
