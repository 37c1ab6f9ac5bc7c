// A replicated key-value store. One of three replicas leads: it numbers the writes, copies them to the backups, and answers OK once one backup
// has a write too, so that two of three have it. When the leader dies, a backup takes over: StoreClient.TakeOverAsync. A line is a command:
//   SET key value          OK                      to the leader
//   GET key                the value, or nothing   to the leader
//   LAST                   HAVE number             which write is the last one here?
//   COPY number key value  HAVE number             from the leader to a backup
//   LEAD                   OK                      from now on you lead
// A leader that has died stays away: it may hold writes that nobody else has. To let it come back, a store must number its leaders as well.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sluice;

namespace SimulatedOutage;

/// <summary>One of the three. The log is its disk: it outlives a crash.</summary>
internal sealed class Replica(EventLoop loop, string name, List<(string Key, string Value)> log)
{
    public const int Port = 7000;
    public static readonly string[] Names = ["red", "green", "blue"];
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan BeforeRetry = TimeSpan.FromMilliseconds(50);

    private readonly List<Copier> _copiers = [];
    private readonly List<(int Number, Session Client)> _unanswered = [];

    private List<(string Key, string Value)> Log => log;

    private EventLoop Loop => loop;

    public Task ServeAsync() => loop.CreateServerAsync(() => new Session(this), new IPEndPoint(IPAddress.Any, Port));

    public void Lead()
    {
        foreach (var backup in Names.Where(backup => backup != name)) _ = KeepCopyingAsync(backup);
    }

    private void Obey(string[] words, Session session)
    {
        switch (words)
        {
            case ["SET", var key, var value]:
                log.Add((key, value));
                _unanswered.Add((log.Count, session));
                foreach (var copier in _copiers) copier.CopyNext();
                break;
            case ["GET", var key]:
                session.Send(log.LastOrDefault(write => write.Key == key).Value ?? "nothing");
                break;
            case ["LAST"]:
                session.Send($"HAVE {log.Count}");
                break;
            case ["COPY", var number, var key, var value]:
                if (Number(number) == log.Count + 1) log.Add((key, value)); // else it has come before
                session.Send($"HAVE {log.Count}");
                break;
            case ["LEAD"]:
                Lead();
                session.Send("OK");
                break;
        }
    }

    private void BackupHas(int number)
    {
        foreach (var (_, client) in _unanswered.Where(write => write.Number <= number)) client.Send("OK");
        _unanswered.RemoveAll(write => write.Number <= number);
    }

    private async Task KeepCopyingAsync(string backup)
    {
        while (!loop.IsClosed)
        {
            try
            {
                var (_, copier) = await loop.CreateConnectionAsync(() => new Copier(this), backup, Port);
                _copiers.Add(copier);
                await copier.Lost;
                _copiers.Remove(copier);
            }
            catch (SocketException)
            {
                // It is not there.
            }

            await Task.Delay(BeforeRetry, loop.TimeProvider);
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>A replica's end of a connection from a client or from the leader.</summary>
    private sealed class Session(Replica replica) : LineProtocol
    {
        protected override void LineReceived(string line) => replica.Obey(line.Split(' '), this);
    }

    /// <summary>The leader's end of its connection to a backup: one write at a time, the next one when the backup has it.</summary>
    private sealed class Copier(Replica leader) : LineProtocol
    {
        private readonly List<(string Key, string Value)> _log = leader.Log;
        private int _has;
        private TimerHandle? _waits;

        public override void ConnectionMade(ITransport transport)
        {
            base.ConnectionMade(transport);
            Ask("LAST");
        }

        public void CopyNext()
        {
            if (_waits is null && _has < _log.Count) Ask($"COPY {_has + 1} {_log[_has].Key} {_log[_has].Value}");
        }

        public override void ConnectionLost(Exception? exception)
        {
            _waits?.Cancel();
            base.ConnectionLost(exception);
        }

        protected override void LineReceived(string line)
        {
            _waits!.Cancel();
            _waits = null;
            _has = Number(line["HAVE ".Length..]);
            leader.BackupHas(_has);
            CopyNext();
        }

        // A backup that has crashed says nothing, not even that it is gone.
        private void Ask(string question)
        {
            Send(question);
            _waits = leader.Loop.CallLater(Patience, Abort);
        }
    }
}
