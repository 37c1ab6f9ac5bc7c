// A chat over lines, for clients such as nc: what one types goes to all others. A stream has no lines: they are cut out of what arrives.
// A client that does not read holds up nobody: while it is paused, lines for it are counted and dropped, and it is told how many.
using System.Net.Sockets;
using System.Text;
using Sluice;

if (args.Length > 1 || !Address.TryParse(args.FirstOrDefault("127.0.0.1:8888"), out var address))
{
    Console.Error.WriteLine("usage: LineChat [host:port | unix:/path]     127.0.0.1:8888 unless given");
    return 2;
}

try
{
    EventLoop.Run(async (loop, interrupted) =>
    {
        var room = new List<Member>();
        var options = new ServerOptions { DrainTimeout = TimeSpan.FromSeconds(1) };
        var server = await loop.CreateServerAsync(() => new Member(room), address, options, interrupted);
        Console.WriteLine($"Serving on {server.EndPoints[0]}");
        await server.ServeForeverAsync(interrupted); // Ctrl+C drains it: see DrainRequested
    });
    return 0;
}
catch (SocketException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

internal sealed class Member(List<Member> room) : Protocol
{
    private const int LongestLine = 1024;
    private const int LongestNick = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static int _guests;

    private readonly byte[] _line = new byte[LongestLine];
    private int _length;
    private ITransport? _transport;
    private string _nick = $"guest{++_guests}";
    private bool _isPaused;
    private long _dropped;

    public override void ConnectionMade(ITransport transport)
    {
        _transport = transport;
        Send($"* You are {_nick}. Commands: /nick NAME, /who, /quit");
        room.Add(this);
        Announce("has joined");
    }

    // Half a line, a line, or a hundred lines and a half: what is unfinished waits in _line, which cannot grow.
    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty && !_transport!.IsClosing)
        {
            var end = data.IndexOf((byte)'\n');
            var part = end < 0 ? data : data[..end];
            if (part.Length > LongestLine - _length)
            {
                Leave($"* A line may have {LongestLine} bytes, yours has more. Goodbye.");
                return;
            }

            part.CopyTo(_line.AsSpan(_length));
            _length += part.Length;
            if (end < 0) return;
            TakeLine();
            data = data[(end + 1)..];
        }
    }

    // What stands unfinished at the end is a line too.
    public override bool EofReceived()
    {
        if (_length > 0) TakeLine();
        Leave("* Goodbye.");
        return false;
    }

    // Who reads gets the farewell; who does not is aborted when the drain's time is over.
    public override void DrainRequested() => Leave("* The server closes. Goodbye.");

    // Called inside the Write that lifted the buffer over the high mark: from here on Send drops.
    public override void PauseWriting()
    {
        _isPaused = true;
        Console.WriteLine($"{_nick} PauseWriting: {_transport!.WriteBufferSize:N0} bytes wait, more is dropped");
    }

    public override void ResumeWriting()
    {
        Console.WriteLine($"{_nick} ResumeWriting: {_dropped:N0} lines were dropped");
        ReportDropped();
    }

    public override void ConnectionLost(Exception? exception)
    {
        if (room.Remove(this)) Announce("has left");
    }

    private void TakeLine()
    {
        var text = Encoding.UTF8.GetString(_line, 0, _length).TrimEnd('\r');
        _length = 0;
        switch (text.Split(' ', 2))
        {
            case ["/nick", var nick]:
                Rename(nick);
                break;
            case ["/who"]:
                Send($"* Here are {string.Join(", ", room.Select(member => member._nick))}");
                break;
            case ["/quit"]:
                Leave("* Goodbye.");
                break;
            case [""]:
                break;
            case [['/', ..], ..]:
                Send("* Commands: /nick NAME, /who, /quit");
                break;
            default:
                Tell($"{_nick}: {text}");
                break;
        }
    }

    private void Rename(string nick)
    {
        if (nick.Length is 0 or > LongestNick || !nick.All(char.IsAsciiLetterOrDigit))
        {
            Send($"* A nick has 1 to {LongestNick} letters and digits");
        }
        else if (room.Any(member => member._nick == nick))
        {
            Send($"* {nick} is taken");
        }
        else
        {
            Send($"* You are {nick}");
            Announce($"is now {nick}");
            _nick = nick;
        }
    }

    // Close waits until everything is sent, however long that takes; somebody who never reads is cut off after a while.
    private void Leave(string farewell)
    {
        if (_transport!.IsClosing) return;
        ReportDropped(); // No ResumeWriting comes after Close.
        Send(farewell);
        _transport.Close();
        EventLoop.Current.CallLater(Patience, _transport.Abort);
        if (room.Remove(this)) Announce("has left");
    }

    private void Announce(string what)
    {
        Console.WriteLine($"{_nick} {what}");
        Tell($"* {_nick} {what}");
    }

    // A terminal must not obey what a stranger typed: control characters go as question marks.
    private void Tell(string line)
    {
        line = string.Concat(line.Select(letter => char.IsControl(letter) && letter != '\t' ? '?' : letter));
        foreach (var member in room)
        {
            if (member != this) member.Send(line);
        }
    }

    private void ReportDropped()
    {
        _isPaused = false;
        if (_dropped > 0) Send($"* {_dropped} lines were dropped, because you did not read");
        _dropped = 0;
    }

    private void Send(string line)
    {
        if (_transport!.IsClosing) return;
        if (_isPaused) _dropped++;
        else _transport.Write(Encoding.UTF8.GetBytes($"{line}\n"));
    }
}
