using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>
/// The certificates of <see cref="TlsParties"/> as files for other programs: root.pem, and server.pem and client.pem with their keys. Owned by a test, with
/// which it goes.
/// </summary>
internal sealed class PemFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-tls-");

    public PemFolder()
    {
        File.WriteAllText(Root, TlsParties.Root.Certificate.ExportCertificatePem() + "\n");
        Write("server.pem", TlsParties.ServerCertificate);
        Write("client.pem", TlsParties.ClientCertificate);
    }

    public string Path => _folder.FullName;

    public string Root => PathOf("root.pem");

    public string Server => PathOf("server.pem");

    public string Client => PathOf("client.pem");

    /// <summary>Writes a certificate with its key.</summary>
    /// <returns>The path.</returns>
    public string Write(string name, X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        File.WriteAllText(PathOf(name), $"{key.ExportPkcs8PrivateKeyPem()}\n{certificate.ExportCertificatePem()}\n");
        return PathOf(name);
    }

    /// <summary>Writes certificates without their keys.</summary>
    /// <returns>The path, or null where there are none.</returns>
    public string? WriteChain(string name, X509Certificate2Collection chain)
    {
        if (chain.Count == 0) return null;
        File.WriteAllText(PathOf(name), chain.ExportCertificatePems() + "\n");
        return PathOf(name);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The path of a file in it.</summary>
    public string PathOf(string name) => System.IO.Path.Combine(_folder.FullName, name);
}
