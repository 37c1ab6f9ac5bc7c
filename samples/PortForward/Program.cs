// Takes connections at one address and carries their bytes to another and back. Each pair of transports is coupled: what one side cannot
// send fast enough is not read on the other, the end of a stream is passed on, and so is a reset.
using System.Net;
using System.Net.Sockets;
using Sluice;

if (args.Length != 2 || !Address.TryParse(args[0], out var listen) || !Address.TryParse(args[1], out var target))
{
    Console.Error.WriteLine("usage: PortForward LISTEN TARGET     each is host:port or unix:/path");
    return 2;
}

try
{
    EventLoop.Run(async (loop, interrupted) =>
    {
        var options = new ServerOptions { DrainTimeout = TimeSpan.Zero }; // Ctrl+C: nobody is waited for
        var server = await loop.CreateServerAsync(() => new Side(target), listen, options, interrupted);
        Console.WriteLine($"Serving on {server.EndPoints[0]}");
        await server.ServeForeverAsync(interrupted);
    });
    return 0;
}
catch (SocketException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

// One side of a pair: the client's first, which connects to the target and there gets its other half.
internal sealed class Side : Protocol
{
    private readonly EndPoint? _target;
    private ITransport? _transport;
    private Side? _other;
    private bool _hasEnded;
    private long _received;
    private int _pauses;

    public Side(EndPoint target) => _target = target;

    private Side(Side client) => _other = client;

    public override void ConnectionMade(ITransport transport)
    {
        _transport = transport;
        if (_target is not null)
        {
            // Nobody can take the client's bytes yet: they stay where they are, in the kernel.
            transport.PauseReading();
            _ = ConnectAsync(_target);
            Console.WriteLine($"accepted: {this}");
        }
        else if (_other!._transport!.IsClosing)
        {
            transport.Abort();
        }
        else
        {
            Console.WriteLine($"connected: {_other} to {transport.GetExtraInfo(ExtraInfo.PeerName)}");
            _other._other = this;
            _other._transport.ResumeReading();
        }
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        _received += data.Length;
        _other!._transport!.Write(data);
    }

    // The coupling. What waits for a peer that does not read is bounded by the high mark and one read, however fast the others send.
    public override void PauseWriting()
    {
        if (_pauses++ == 0) Console.WriteLine($"{this} PauseWriting: {_transport!.WriteBufferSize:N0} bytes wait, the other side is not read");
        _other!._transport!.PauseReading();
    }

    public override void ResumeWriting() => _other!._transport!.ResumeReading();

    // True keeps this side open for what the other one still sends. The second end of a pair closes both.
    public override bool EofReceived()
    {
        _hasEnded = true;
        _other!._transport!.WriteEof();
        if (!_other._hasEnded) return true;
        _other._transport.Close();
        return false;
    }

    // A reset goes through as a reset. But a stream that had ended before was whole: the rest of it is still sent.
    public override void ConnectionLost(Exception? exception)
    {
        if (_other is null) return;
        if (exception is not null && _hasEnded) _other._transport!.Close();
        else if (exception is not null) _other._transport!.Abort();
        Console.WriteLine($"lost: {this}, {_received:N0} bytes came, paused {_pauses} times. {exception?.Message}".TrimEnd());
    }

    public override string ToString() => _target is null ? "target" : $"client {_transport!.GetExtraInfo(ExtraInfo.PeerName)}";

    private async Task ConnectAsync(EndPoint target)
    {
        try
        {
            await EventLoop.Current.CreateConnectionAsync(() => new Side(this), target);
        }
        catch (SocketException exception)
        {
            Console.WriteLine($"refused: {this}, {exception.Message}");
            _transport!.Close();
        }
    }
}
