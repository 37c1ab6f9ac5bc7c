using Sluice;
using Sluice.Testing;

namespace SimulatedOutage;

/// <summary>The store and its client on four simulated hosts, what happens to them, and what must hold in the end.</summary>
internal sealed class Outage(Simulation simulation, bool isCareful)
{
    private const int Span = 20_000; // ms, in which all troubles begin
    private static readonly TimeSpan BetweenWrites = TimeSpan.FromMilliseconds(200);

    private readonly SimulatedHost[] _replicas = Array.ConvertAll(Replica.Names, name => AddReplica(simulation, name));
    private readonly SimulatedHost _client = simulation.AddHost("client");
    private readonly PriorityQueue<(string What, Action Act), int> _plan = new();
    private readonly List<string> _story = [];
    private int _written;
    private int _acknowledged;
    private bool _isRedDead;

    /// <summary>It leads at first.</summary>
    public SimulatedHost Red => _replicas[0];

    public SimulatedHost Green => _replicas[1];

    /// <summary>The client writes x = 1, 2, 3, …, until the leader dies. Each backup is once cut off from it, or crashes and comes back. The seed says when.</summary>
    public void PlayWhatTheSeedSays()
    {
        var dice = new Random(simulation.Seed);
        At(dice.Next(Span), "red dies", KillRed);
        foreach (var backup in _replicas[1..])
        {
            var (begin, length, isCrash, cut) = (dice.Next(Span), dice.Next(10, 200), dice.Next(2) == 0, (IDisposable?)null);
            At(begin, $"{backup.Name} {(isCrash ? "crashes" : "is cut off")}", isCrash ? backup.Crash : () => cut = CutOff(backup));
            At(begin + length, $"{backup.Name} is back", isCrash ? backup.Restart : () => cut!.Dispose());
        }

        _client.Start(KeepWritingAsync);
        while (_plan.TryDequeue(out var next, out var when))
        {
            simulation.RunFor(TimeSpan.FromMilliseconds(when) - simulation.Time);
            _story.Add($"{when,6} ms  {next.What}");
            next.Act();
        }

        TakeOver();
    }

    /// <summary>Writes that must be acknowledged.</summary>
    public void Write(int count)
    {
        for (var i = 0; i < count; i++) simulation.Run(_client, WriteAsync);
        if (_acknowledged != _written) throw new InvalidOperationException($"x = {_written} was not acknowledged.");
    }

    /// <summary>Time enough for everything to be mended.</summary>
    public void Calm() => simulation.RunFor(TimeSpan.FromMinutes(1));

    public IDisposable CutOff(SimulatedHost backup) => simulation.Partition([Red], [backup], $"{backup.Name} is cut off");

    public void KillRed()
    {
        _isRedDead = true;
        Red.Crash();
    }

    /// <summary>A backup leads. What the client was told is still true.</summary>
    public void TakeOver() => simulation.Run(_client, async loop =>
    {
        string? leader = null, read = null;
        while (leader is null) leader = await StoreClient.TakeOverAsync(loop, Replica.Names[1..], isCareful);
        while (read is null) read = await StoreClient.AskAsync(loop, leader, "GET x");
        if (int.TryParse(read, out var x) && x >= _acknowledged) return;
        if (_acknowledged > 0) throw new LostWriteException($"The client was told x = {_acknowledged}, and now {leader} says {read}.", _story);
    });

    /// <summary>Its disk outlives its crashes, as everything does that is not the program's own.</summary>
    private static SimulatedHost AddReplica(Simulation simulation, string name)
    {
        var disk = new List<(string Key, string Value)>();
        var host = simulation.AddHost(name);
        host.Start(async loop =>
        {
            var replica = new Replica(loop, name, disk);
            await replica.ServeAsync();
            if (name == Replica.Names[0]) replica.Lead();
        });
        return host;
    }

    private void At(int when, string what, Action act) => _plan.Enqueue((what, act), when);

    private async Task KeepWritingAsync(EventLoop loop)
    {
        while (!_isRedDead) await WriteAsync(loop);
    }

    private async Task WriteAsync(EventLoop loop)
    {
        var x = ++_written;
        if (await StoreClient.AskAsync(loop, Red.Name, $"SET x {x}") == "OK") _acknowledged = x;
        await Task.Delay(BetweenWrites, loop.TimeProvider);
    }

    internal sealed class LostWriteException(string message, IReadOnlyList<string> story) : Exception(message)
    {
        public IReadOnlyList<string> Story => story;
    }
}
