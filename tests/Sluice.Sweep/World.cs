using Microsoft.Extensions.Logging.Abstractions;
using Sluice.Sweep.Endpoints;
using Sluice.Sweep.Pipes;
using Sluice.Sweep.Processes;
using Sluice.Sweep.Running;
using Sluice.Sweep.Streams;
using Sluice.Sweep.Tls;
using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep;

/// <summary>
/// One seed's world: hosts, servers, connections whose ends do as they like, faults; then calm, in which everything has to come right; then the end,
/// after which nothing may be left. Owned by who runs the seed; used on one thread.
/// </summary>
internal sealed class World
{
    // Forks of the seed: the plan, the world's own dice, then one per end.
    private const int PlanFork = -1;
    private const int WorldFork = -2;
    private const int DatagramPlanFork = -3;
    private const int DatagramFork = -4;
    private const int PlumbingFork = -7;
    private const int ChildrenFork = -8;
    private const int FirstEndFork = -1000;
    private const int FirstEndpointFork = -100_000;

    /// <summary>Endpoints are counted from here in the trace, above all ends.</summary>
    public const int FirstEndpoint = 1000;

    private readonly Dictionary<SimulatedSocket, End> _endOf = [];
    private readonly WorldJudge _judge;
    private readonly int _seed;
    private readonly int _variant;
    private int _expectedReports;
    private int _reports;

    /// <summary>Of a seed.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="keepsTrace">Keeps the whole trace.</param>
    /// <param name="variant">Another one lets the first connection misbehave otherwise, and nothing else.</param>
    /// <param name="spares">Segments that other worlds have left behind.</param>
    public World(int seed, bool keepsTrace = false, int variant = 0, SegmentSpares? spares = null)
    {
        _seed = seed;
        _variant = variant;
        Trace = new Trace(keepsTrace);
        Plan = new WorldPlan(seed, KernelDice.Fork(seed, PlanFork));
        Dice = KernelDice.Fork(seed, WorldFork);
        var datagrams = new DatagramPlan(KernelDice.Fork(seed, DatagramPlanFork), Plan.IsIsolated);
        Simulation = new Simulation(new SimulatedNetwork(seed, datagrams.On(Plan.Kernel)) { KeepsLogs = Plan.Tls is not null }, seed);
        Datagrams = new Datagrams(this, datagrams, KernelDice.Fork(seed, DatagramFork));
        for (var i = 0; i < Plan.Hosts; i++)
        {
            var host = Simulation.AddHost($"host{i}", new EventLoopOptions { Logger = NullLogger.Instance, Debug = false });
            Watch(host);
            spares?.Lend(host.Loop.Core.Segments);
        }

        _judge = new WorldJudge(this);
        Misbehaves = variant != 0;
        Simulation.PassEnded = _judge.AfterPass;
        Turmoil = new Turmoil(this);
        Plumbing = new Plumbing(this, KernelDice.Fork(seed, PlumbingFork));
        Children = new Children(this, KernelDice.Fork(seed, ChildrenFork));
    }

    public WorldPlan Plan { get; }

    /// <summary>In an isolated world: the first connection misbehaves more than planned.</summary>
    public bool Misbehaves { get; }

    public KernelDice Dice { get; }

    public Simulation Simulation { get; }

    public Trace Trace { get; }

    public Turmoil Turmoil { get; }

    public Datagrams Datagrams { get; }

    public Plumbing Plumbing { get; }

    public Children Children { get; }

    public List<End> Ends { get; } = [];

    /// <summary>Chaos is over: nobody acts any more, nothing fails, everybody reads.</summary>
    public bool IsCalm { get; private set; }

    public int Callbacks { get; set; }

    /// <summary>Callbacks and events of the kernels.</summary>
    public long Events => Callbacks + Simulation.Network.EventsRun;

    /// <summary>The first invariant that was broken, or null.</summary>
    public Invariant? FirstBroken { get; private set; }

    /// <summary>What was broken, in words.</summary>
    public string? Breach { get; private set; }

    private SimulatedNetwork Network => Simulation.Network;

    /// <summary>Runs the world from its beginning to its end.</summary>
    public void Run()
    {
        try
        {
            Simulation.Run(LiveAsync);
        }
        catch (SimulationStalledException exception)
        {
            Broken(Invariant.Liveness, exception.Message);
        }
        catch (Exception exception)
        {
            Broken(Network.Violations.Count > 0 ? InvariantOf(Network.Violations[0]) : Invariant.Seam, exception.ToString());
        }

        End();
    }

    public void Broken(Invariant invariant, string what)
    {
        Trace.Add(Simulation.Time.Ticks, -1, Happening.Broken, (long)invariant);
        FirstBroken ??= invariant;
        Breach ??= what;
    }

    public void Note(Happening what, long value) => Trace.Add(Simulation.Time.Ticks, -1, what, value);

    /// <summary>Hears what the exception handler of a host's loop is told.</summary>
    public void Watch(SimulatedHost host) => host.Loop.ExceptionHandler = (_, context) => OnReport(context);

    public End MakeEnd(SimulatedHost host, int connection, bool isServer, Security security = Security.None)
    {
        // An end's dice are its own. What tells the variants apart is the first connection's.
        var number = Ends.Count;
        var fork = FirstEndFork - (Plan.IsIsolated ? (2 * connection) + (isServer ? 1 : 0) : number);
        var dice = KernelDice.Fork(connection == 0 ? _seed ^ (_variant << 16) : _seed, fork);
        var end = new End(this, host, number, connection, isServer, security, dice)
        {
            Misbehaves = _variant != 0 && connection == 0,
        };
        Ends.Add(end);
        return end;
    }

    public KernelDice DiceOfEndpoint(int number) => KernelDice.Fork(_seed, FirstEndpointFork - number);

    public static IProtocol<ITransport> MakeProtocol(End end, ProtocolKind kind) => kind switch
    {
        ProtocolKind.Plain => new PlainChaosProtocol(end),
        ProtocolKind.Buffered => new BufferedChaosProtocol(end),
        _ => new ReadingChaosProtocol(end),
    };

    public IProtocol<ITransport> MakeProtocol(End end) => MakeProtocol(end, Plan.Kinds[end.Dice.Below(Plan.Kinds.Count)]);

    /// <summary>A protocol that serves another transport, if there is one.</summary>
    public IProtocol<ITransport>? AnotherProtocol(End than)
    {
        foreach (var end in Ends)
        {
            if (end != than && end.IsLive && end.Transport?.Protocol is IProtocol<ITransport> protocol) return protocol;
        }

        return null;
    }

    public void Made(End end) => _endOf[end.Model.Kernel!] = end;

    public End? EndOf(SimulatedSocket socket) => _endOf.GetValueOrDefault(socket);

    /// <summary>Somebody is about to throw where only the handler of exceptions can hear of it.</summary>
    public void WillReport() => _expectedReports++;

    private static Invariant InvariantOf(string violation) =>
        violation.Contains("bytes of an outstanding write", StringComparison.Ordinal) ? Invariant.Memory : Invariant.Seam;

    private async Task LiveAsync()
    {
        await Turmoil.BeginAsync();
        if (!Plan.HasCrashes)
        {
            Datagrams.Begin();
            Plumbing.Begin();
            Children.Begin();
        }

        await Turmoil.Delay(Plan.ChaosTime);
        if (Plan.EndsAbruptly) return;
        Note(Happening.Calm, 0);
        IsCalm = true;
        Turmoil.CalmDown();
        Datagrams.CalmDown();
        Plumbing.CalmDown();
        Children.CalmDown();
        await _judge.VerifyCalmAsync();
        Note(Happening.Closing, 0);
        Datagrams.CloseAll();
        Plumbing.CloseAll();
        Children.CloseAll();
        await Turmoil.CloseAllAsync();
        await _judge.VerifyClosedAsync();
    }

    private void End()
    {
        foreach (var end in Ends) end.Model.AskedToEnd = end.Model.WasAborted = true;
        Plumbing.EndLoop(host: null);
        Children.EndLoop(host: null);
        Note(Happening.Over, 0);
        try
        {
            Simulation.Dispose();
            Children.SwitchOff();
            _judge.VerifyOver();
        }
        catch (Exception exception)
        {
            Broken(Network.Violations.Count > 0 ? InvariantOf(Network.Violations[0]) : Invariant.Seam, exception.ToString());
        }

        if (_reports != _expectedReports) Broken(Invariant.Lifecycle, $"{_expectedReports} exceptions were thrown and {_reports} reported");
        if (Network.Violations.Count > 0) Broken(InvariantOf(Network.Violations[0]), Network.Violations[0]);
    }

    private void OnReport(ExceptionContext context)
    {
        Note(Happening.Report, 0);
        Callbacks++;
        switch (context.Exception)
        {
            case ChaosException chaos:
                _reports++;
                chaos.End?.Chaos.ActInHandler();
                break;
            case InvalidOperationException empty when empty.Message.StartsWith("GetBuffer()", StringComparison.Ordinal):
                _reports++;
                break;
            case System.Net.Sockets.SocketException when context.Message == "Fatal read error on pipe transport":
            case InvalidOperationException factory when factory.Message.StartsWith("The protocol factory", StringComparison.Ordinal):
            case System.Net.Sockets.SocketException when context.Message.StartsWith("Accept", StringComparison.Ordinal):
                break;
            default:
                Broken(Network.Violations.Count > 0 ? InvariantOf(Network.Violations[0]) : Invariant.Seam, $"reported: {context}\n{context.Exception}");
                break;
        }
    }
}
