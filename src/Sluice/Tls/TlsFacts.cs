using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tls;

/// <summary>What a handshake has agreed on, kept beyond the life of its SslStream. Made when first asked for, or at the end. Owned by its channel.</summary>
internal sealed class TlsFacts(SslStream stream)
{
    private readonly X509Certificate? _certificate = stream.RemoteCertificate;
    private readonly string? _serverName = stream.TargetHostName;
    private readonly SslApplicationProtocol _protocol = stream.NegotiatedApplicationProtocol;
    private readonly TlsCipher _cipher = new(stream.NegotiatedCipherSuite, stream.SslProtocol);

    /// <summary>A fact by its name, or null.</summary>
    public object? Find(string name) => name switch
    {
        "peercert" => _certificate,
        "cipher" => _cipher,
        "alpn_protocol" => _protocol.Protocol.IsEmpty ? null : _protocol.ToString(),
        "server_hostname" => string.IsNullOrEmpty(_serverName) ? null : _serverName,
        _ => null,
    };
}
