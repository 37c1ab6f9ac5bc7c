using System.Globalization;
using System.Net.Sockets;
using Sluice;

namespace SimulatedOutage;

/// <summary>Asks one question, and waits a second for the answer.</summary>
internal sealed class StoreClient : LineProtocol
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly TaskCompletionSource<string?> _answer = new();

    /// <returns>The answer, or null: nobody knows whether it was heard.</returns>
    public static async Task<string?> AskAsync(EventLoop loop, string replica, string question)
    {
        using var patience = new CancellationTokenSource(Patience, loop.TimeProvider);
        try
        {
            var (transport, client) = await loop.CreateConnectionAsync(() => new StoreClient(), replica, Replica.Port, cancellationToken: patience.Token);
            using var registration = patience.Token.Register(transport.Abort);
            client.Send(question);
            return await client._answer.Task;
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The leader is dead: one of its backups is told to lead. Null where it has to be tried again.</summary>
    /// <remarks>
    /// Here is the planted bug. "Two of three have it" means that <i>one</i> of the backups has every acknowledged write: both must be asked, and the
    /// one with more must lead. Whoever takes the first that answers loses a write, if that backup was cut off at the wrong moment.
    /// </remarks>
    public static async Task<string?> TakeOverAsync(EventLoop loop, IEnumerable<string> backups, bool isCareful)
    {
        var (leader, most) = ((string?)null, -1);
        foreach (var backup in backups)
        {
            var answer = await AskAsync(loop, backup, "LAST");
            if (answer is null && isCareful) return null;
            var last = answer is null ? -1 : int.Parse(answer["HAVE ".Length..], CultureInfo.InvariantCulture);
            if (last > most) (leader, most) = (backup, last);
            if (leader is not null && !isCareful) break;
        }

        return leader is not null && await AskAsync(loop, leader, "LEAD") == "OK" ? leader : null;
    }

    public override void ConnectionLost(Exception? exception)
    {
        base.ConnectionLost(exception);
        _answer.TrySetResult(null);
    }

    protected override void LineReceived(string line)
    {
        _answer.TrySetResult(line);
        Close();
    }
}
