using Microsoft.Win32.SafeHandles;

namespace Sluice.EchoServer;

/// <summary>Sends a file once for each byte that it reads, by the kernel only.</summary>
internal sealed class FileServer(EventLoop loop, SafeFileHandle file, Traffic traffic) : Protocol
{
    private ITransport _transport = null!;
    private int _wanted;
    private bool _isSending;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        _wanted += data.Length;
        if (!_isSending) _ = SendAsync();
    }

    private async Task SendAsync()
    {
        _isSending = true;
        try
        {
            for (; _wanted > 0; _wanted--) traffic.Count((int)await loop.SendFileAsync(_transport, file, fallback: false));
        }
        catch (Exception gone) when (gone is IOException or System.Net.Sockets.SocketException or InvalidOperationException)
        {
            _transport.Abort();
        }

        _isSending = false;
    }
}
