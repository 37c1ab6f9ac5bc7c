using System.Net;
using System.Net.Sockets;

namespace Sluice.ParityTests.Playing;

/// <summary>Connected TCP sockets without a loop.</summary>
internal static class PlaySockets
{
    public static (Socket Client, Socket Accepted) Connect()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        return (client, listener.Accept());
    }
}
