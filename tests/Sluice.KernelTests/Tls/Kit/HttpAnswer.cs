using System.Text;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>A server side that answers one HTTP request and says goodbye. Made for one connection.</summary>
internal static class HttpAnswer
{
    public const string Body = "served over TLS";

    public static RecordingProtocol Create()
    {
        var server = new RecordingProtocol();
        server.OnData = _ =>
        {
            if (!server.Received.EndsWith("\r\n\r\n"u8)) return;
            server.Transport.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Body.Length}\r\nConnection: close\r\n\r\n{Body}"));
            server.Transport.Close();
        };
        return server;
    }
}
