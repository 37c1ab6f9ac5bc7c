// Kestrel's ConnectionHandler over an IDuplexPipe. usage: server tcp|unix|tls ADDR [inline]
using System.Buffers;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

var (mode, address) = (args[0], args[1]);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
if (args.Length > 2 && args[2] == "inline") builder.WebHost.UseSockets(options => options.UnsafePreferInlineScheduling = true);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.WebHost.ConfigureKestrel(options =>
{
    if (mode == "unix")
    {
        File.Delete(address);
        options.ListenUnixSocket(address, Configure);
    }
    else
    {
        options.ListenAnyIP(int.Parse(address), Configure);
    }
});
builder.Build().Run();

void Configure(ListenOptions listen)
{
    if (mode == "tls")
        listen.UseHttps(https =>
        {
            https.ServerCertificate = X509CertificateLoader.LoadPkcs12FromFile(Environment.GetEnvironmentVariable("CERTS") + "/cert.pfx", "x");
            https.SslProtocols = SslProtocols.Tls13;
        });
    listen.UseConnectionHandler<Echo>();
}

sealed class Echo : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        try
        {
            while (true)
            {
                var read = await input.ReadAsync();
                if (read.Buffer.IsEmpty && read.IsCompleted) break;
                foreach (var segment in read.Buffer) output.Write(segment.Span);
                input.AdvanceTo(read.Buffer.End);
                var flush = await output.FlushAsync();
                if (flush.IsCompleted) break;
            }
        }
        catch (ConnectionResetException)
        {
        }
    }
}
