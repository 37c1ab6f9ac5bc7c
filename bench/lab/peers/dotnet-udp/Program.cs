// UDP echo over Socket's SocketAddress overloads. usage: server udp PORT
using System.Net;
using System.Net.Sockets;

var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
socket.Bind(new IPEndPoint(IPAddress.Any, int.Parse(args[1])));
var sender = new SocketAddress(AddressFamily.InterNetwork);
var buffer = GC.AllocateUninitializedArray<byte>(65536, pinned: true).AsMemory();
while (true)
{
    var count = await socket.ReceiveFromAsync(buffer, SocketFlags.None, sender);
    await socket.SendToAsync(buffer[..count], SocketFlags.None, sender);
}
