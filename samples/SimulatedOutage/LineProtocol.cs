using System.Text;
using Sluice;

namespace SimulatedOutage;

/// <summary>Cuts what arrives into lines, wherever the network has cut it.</summary>
internal abstract class LineProtocol : Protocol
{
    private readonly TaskCompletionSource _lost = new();
    private readonly List<byte> _line = [];
    private ITransport? _transport;

    public Task Lost => _lost.Task;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        foreach (var letter in data)
        {
            if (letter != '\n')
            {
                _line.Add(letter);
                continue;
            }

            var line = Encoding.UTF8.GetString([.. _line]);
            _line.Clear();
            LineReceived(line);
        }
    }

    public override void ConnectionLost(Exception? exception) => _lost.TrySetResult();

    public void Send(string line) => _transport!.Write(Encoding.UTF8.GetBytes($"{line}\n"));

    protected abstract void LineReceived(string line);

    protected void Abort() => _transport!.Abort();

    protected void Close() => _transport!.Close();
}
