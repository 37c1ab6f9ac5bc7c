namespace Sluice.Tests.Shared;

/// <summary>What a certificate's key is.</summary>
internal enum KeyKind
{
    /// <summary>On P-256: the quickest to make and to sign with.</summary>
    Ecdsa,

    Rsa2048,

    /// <summary>Weak.</summary>
    Rsa1024,
}
