using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sluice.KernelTests.Samples;

/// <summary>A bare socket that sends what it is told and reads lines. Owned by a test.</summary>
internal sealed class LineClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket _socket;
    private readonly StreamReader _reader;

    private LineClient(Socket socket)
    {
        _socket = socket;
        _reader = new StreamReader(new NetworkStream(socket), Encoding.UTF8);
    }

    public static async Task<LineClient> ConnectAsync(EndPoint address)
    {
        var socket = address is IPEndPoint
            ? new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(address).WaitAsync(Patience);
        return new LineClient(socket);
    }

    /// <summary>Sends it in one piece.</summary>
    public Task WriteAsync(string text) => _socket.SendAsync(Encoding.UTF8.GetBytes(text)).WaitAsync(Patience);

    /// <summary>Says that no more will come.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Breaks the connection.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>The next line, or null at the end of the stream.</summary>
    public Task<string?> ReadLineAsync() => _reader.ReadLineAsync().WaitAsync(Patience);

    public void Dispose()
    {
        _reader.Dispose();
        _socket.Dispose();
    }
}
