using System.Globalization;
using System.Net;
using System.Text;
using RedisClient;
using Sluice.Testing;

namespace Sluice.Tests.Samples;

/// <summary>A Redis server as small as a test needs it: numbers that outlive its crashes, and answers that no good server gives. Runs on a simulated host.</summary>
internal sealed class RespServer(Dictionary<string, long> numbers) : Protocol
{
    public const int Port = 6379;

    // What a client sends has the form of a reply: an array of strings.
    private readonly ReplyReader _requests = new(1 << 20);
    private ITransport? _transport;

    public static SimulatedHost AddTo(Simulation simulation, Dictionary<string, long> numbers)
    {
        var host = simulation.AddHost("redis");
        host.Start(loop => loop.CreateServerAsync(() => new RespServer(numbers), new IPEndPoint(IPAddress.Any, Port)));
        return host;
    }

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        while (_requests.TryRead(ref data, out var request))
        {
            var words = Array.ConvertAll(request.Items!, static item => Encoding.UTF8.GetString(item.AsBytes()!));
            _transport!.Write(Encoding.UTF8.GetBytes(Answer(words)));
        }
    }

    private string Answer(string[] words)
    {
        switch (words)
        {
            case ["INCR", var key]:
                return string.Create(CultureInfo.InvariantCulture, $":{numbers[key] = numbers.GetValueOrDefault(key) + 1}\r\n");
            case ["ECHO", var text]:
                return $"${Encoding.UTF8.GetByteCount(text)}\r\n{text}\r\n";
            case ["GET", _]:
                return ":5\r\n";
            case ["SILENCE"]:
                return "";
            case ["TWICE"]:
                return "+once\r\n+and again\r\n";
            case ["BOAST", var length]:
                return $"${length}\r\n";
            case ["HANG UP"]:
                _transport!.Abort();
                return "";
            default:
                return $"-ERR unknown command '{words[0]}'\r\n";
        }
    }
}
