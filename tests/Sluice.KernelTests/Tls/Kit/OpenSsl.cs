using System.Globalization;
using System.Net;
using System.Security.Authentication;
using Sluice.KernelTests.Peers;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>OpenSSL's own client and server as peers. Each serves or makes one connection; its input is sent, what it receives is printed.</summary>
internal static class OpenSsl
{
    private const string Accepting = "ACCEPT 127.0.0.1:";

    /// <summary>A client that trusts the root, checks the name "localhost" and says goodbye when its input ends.</summary>
    /// <param name="port">Where to.</param>
    /// <param name="files">The certificates.</param>
    /// <param name="version">The version that it speaks.</param>
    /// <param name="more">Further arguments.</param>
    public static PeerProcess Connect(int port, PemFolder files, SslProtocols version, params IEnumerable<string> more) =>
        ConnectTo(TlsParties.Host, port, files, version, more);

    /// <summary>As <see cref="Connect"/>, for another name or an address.</summary>
    public static PeerProcess ConnectTo(string host, int port, PemFolder files, SslProtocols version, params IEnumerable<string> more)
    {
        string[] check = IPAddress.TryParse(host, out _) ? ["-verify_ip", host, "-noservername"] : ["-verify_hostname", host, "-servername", host];
        return PeerProcess.Start(
            "openssl",
            [
                "s_client", "-connect", $"127.0.0.1:{port}", "-quiet", "-no_ign_eof", NameOf(version), "-CAfile", files.Root, "-verify_return_error", .. check, .. more,
            ]);
    }

    /// <summary>A server with a certificate for "localhost", which prints nothing but what it receives once its port is read.</summary>
    /// <param name="certificate">Path of its certificate, with the key.</param>
    /// <param name="version">The version that it speaks.</param>
    /// <param name="more">Further arguments.</param>
    public static async Task<(PeerProcess Process, int Port)> ServeAsync(string certificate, SslProtocols version, params IEnumerable<string> more)
    {
        var server = PeerProcess.Start(
            "openssl", ["s_server", "-4", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", certificate, "-key", certificate, NameOf(version), .. more]);
        while (true)
        {
            var line = await server.ReadLineAsync();
            if (line.StartsWith(Accepting, StringComparison.Ordinal)) return (server, int.Parse(line[Accepting.Length..], CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Reads until a line that is wanted, over what s_server says about the session.</summary>
    public static async Task ReadUntilAsync(PeerProcess process, string wanted)
    {
        while (await process.ReadLineAsync() != wanted)
        {
        }
    }

    private static string NameOf(SslProtocols version) => version == SslProtocols.Tls12 ? "-tls1_2" : "-tls1_3";
}
