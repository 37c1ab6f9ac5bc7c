// A tuned SocketAsyncEventArgs echo: one receive and one send object per connection over a pinned 32 KiB buffer, and loops instead of
// recursion where operations complete at once. usage: server tcp|unix ADDR
using System.Net;
using System.Net.Sockets;

var (mode, address) = (args[0], args[1]);
var unix = mode == "unix";
if (unix) File.Delete(address);
var listener = unix ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Bind(unix ? new UnixDomainSocketEndPoint(address) : new IPEndPoint(IPAddress.Any, int.Parse(address)));
listener.Listen(4096);

var accept = new SocketAsyncEventArgs();
accept.Completed += (_, e) =>
{
    do Accepted(e);
    while (!listener.AcceptAsync(e));
};
while (!listener.AcceptAsync(accept)) Accepted(accept);
Thread.Sleep(Timeout.Infinite);

void Accepted(SocketAsyncEventArgs e)
{
    if (e.SocketError == SocketError.Success)
    {
        if (!unix) e.AcceptSocket.NoDelay = true;
        new Connection(e.AcceptSocket).Receive();
    }

    e.AcceptSocket = null;
}

sealed class Connection
{
    private readonly Socket _socket;
    private readonly Operation _receive, _send;

    public Connection(Socket socket)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(32768, pinned: true);
        _socket = socket;
        _receive = new Operation(Received);
        _send = new Operation(SentLater);
        _receive.SetBuffer(buffer, 0, buffer.Length);
        _send.SetBuffer(buffer, 0, 0);
    }

    public void Receive()
    {
        try
        {
            while (!_socket.ReceiveAsync(_receive) && Echoed())
            {
            }
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private void Received()
    {
        try
        {
            if (Echoed()) Receive();
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private void SentLater()
    {
        try
        {
            if (!Sent(out var more) || (more && !Send())) return;
            Receive();
        }
        catch (ObjectDisposedException)
        {
        }
    }

    // True where everything was sent at once: receive again.
    private bool Echoed()
    {
        var count = _receive.BytesTransferred;
        if (count <= 0 || _receive.SocketError != SocketError.Success)
        {
            Close();
            return false;
        }

        _send.SetBuffer(0, count);
        return Send();
    }

    private bool Send()
    {
        while (true)
        {
            if (_socket.SendAsync(_send) || !Sent(out var more)) return false;
            if (!more) return true;
        }
    }

    private bool Sent(out bool more)
    {
        more = false;
        if (_send.SocketError != SocketError.Success || _send.BytesTransferred <= 0)
        {
            Close();
            return false;
        }

        var left = _send.Count - _send.BytesTransferred;
        if (left > 0) _send.SetBuffer(_send.Offset + _send.BytesTransferred, left);
        more = left > 0;
        return true;
    }

    private void Close()
    {
        _socket.Dispose();
        _receive.Dispose();
        _send.Dispose();
    }

    // True: no execution context is captured.
    private sealed class Operation(Action completed) : SocketAsyncEventArgs(true)
    {
        protected override void OnCompleted(SocketAsyncEventArgs e) => completed();
    }
}
