// NetworkStream (or SslStream) echo: one task and one 32 KiB buffer per connection. usage: server tcp|unix|tls ADDR
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

var (mode, address) = (args[0], args[1]);
var unix = mode == "unix";
if (unix) File.Delete(address);
var listener = unix ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Bind(unix ? new UnixDomainSocketEndPoint(address) : new IPEndPoint(IPAddress.Any, int.Parse(address)));
listener.Listen(4096);

var certificate = mode == "tls"
    ? SslStreamCertificateContext.Create(X509CertificateLoader.LoadPkcs12FromFile(Environment.GetEnvironmentVariable("CERTS") + "/cert.pfx", "x"), null, offline: true)
    : null;

while (true)
{
    var socket = await listener.AcceptAsync();
    if (!unix) socket.NoDelay = true;
    _ = Echo(socket);
}

async Task Echo(Socket socket)
{
    try
    {
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        await using var owned = stream;
        if (certificate != null)
        {
            var tls = new SslStream(stream, leaveInnerStreamOpen: false);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = certificate, EnabledSslProtocols = SslProtocols.Tls13 });
            stream = tls;
        }

        var buffer = new byte[32768];
        while (await stream.ReadAsync(buffer.AsMemory()) is var count and > 0) await stream.WriteAsync(buffer.AsMemory(0, count));
    }
    catch (Exception)
    {
        // The load generator ends its connections as it likes.
    }
}
