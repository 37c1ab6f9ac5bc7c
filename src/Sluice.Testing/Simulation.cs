using System.Net;
using Sluice.Testing.Exploring;
using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <summary>
/// Hosts with real loops and transports over simulated kernels, on the calling thread, under one virtual clock and one seed: the same
/// seed replays the same run.
/// </summary>
/// <remarks>
/// The clock stands still while any loop has something to do, and then jumps to the first timer or network event. A program that waits
/// for what can never happen fails with <see cref="SimulationStalledException"/> instead of hanging. Determinism ends where the program
/// leaves the loops: no thread pool (Task.WhenAny and similar methods may use it), no real clock.
/// </remarks>
public sealed class Simulation : IDisposable
{
    private readonly List<SimulatedHost> _hosts = [];
    private readonly SimulationDriver _driver;

    /// <summary>With no hosts yet.</summary>
    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="options">What the kernels may do, or null for the defaults.</param>
    public Simulation(int seed, SimulationOptions? options = null)
        : this(new SimulatedNetwork(seed, options ?? new SimulationOptions()), seed)
    {
    }

    /// <summary>Over a network made for the purpose.</summary>
    internal Simulation(SimulatedNetwork network, int seed)
    {
        Seed = seed;
        Network = network;
        _driver = new SimulationDriver(network, _hosts);
    }

    /// <summary>The seed.</summary>
    public int Seed { get; }

    /// <summary>How far the virtual clock has come.</summary>
    public TimeSpan Time => Network.Clock.Now;

    /// <summary>The hosts, in the order in which they were added.</summary>
    public IReadOnlyList<SimulatedHost> Hosts => _hosts;

    /// <summary>
    /// What the library did against the rules between transports and kernels, in words. Empty unless it has a defect.
    /// </summary>
    public IReadOnlyList<string> Violations => Network.Violations;

    /// <summary>
    /// A number made of everything that has happened: connects, packets with their verdicts, deliveries, accepts, reads, writes, closes, resets, crashes, passes of the
    /// loops and jumps of the clock. The same seed gives the same number, in every process.
    /// </summary>
    public ulong TraceHash => Network.Trace.Hash;

    /// <summary>The last events, oldest first, as text; made anew at each call. <see cref="SimulationOptions.TraceLength"/> says how many.</summary>
    public IReadOnlyList<string> Trace => Network.Trace.Render();

    internal SimulatedNetwork Network { get; }

    /// <summary>Hears of every pass after it, for judges that look at the whole world.</summary>
    internal Action<SimulatedHost>? PassEnded
    {
        get => _driver.PassEnded;
        set => _driver.PassEnded = value;
    }

    /// <summary>
    /// Runs a scenario under one seed after another, each in a simulation of its own, until all have passed or one fails. For a failure it switches off, one by one, what the
    /// network leaves to chance, and keeps off what a failure of the same kind, under that seed or one of the next, does not need.
    /// </summary>
    /// <param name="scenario">Adds hosts to an empty simulation and runs it; it throws where what it sees is wrong. It must do the same each time that it is called.</param>
    /// <param name="seeds">How many seeds.</param>
    /// <param name="firstSeed">The first of them.</param>
    /// <param name="options">What the kernels may do, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the exploration between two runs.</param>
    /// <exception cref="SimulationFailedException">The scenario failed; the message says under which seed, with what, and how to run it again.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static void Explore(
        Action<Simulation> scenario, int seeds = 1000, int firstSeed = 0, SimulationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentOutOfRangeException.ThrowIfNegative(seeds);
        new SeedExplorer(scenario, cancellationToken).Run(seeds, firstSeed, options ?? new SimulationOptions());
    }

    /// <inheritdoc cref="Explore(Action{Simulation}, int, int, SimulationOptions?, CancellationToken)"/>
    /// <remarks>
    /// The scenario belongs to no host: its parts run between the passes of the loops, and an <c>await</c> in it runs the simulation. What it does with a host's loop it does
    /// by <see cref="EventLoop.InvokeAsync(Func{Task})"/> or a program of <see cref="SimulatedHost.Start"/>.
    /// </remarks>
    public static void Explore(
        Func<Simulation, Task> scenario, int seeds = 1000, int firstSeed = 0, SimulationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        Explore(simulation => ScenarioContext.Run(simulation, scenario), seeds, firstSeed, options, cancellationToken);
    }

    /// <summary>Adds a machine at 10.0.0.N and fd00::N. Its name means the first, and the second to who asks for IPv6 alone.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">How its loop is made.</param>
    public SimulatedHost AddHost(string name, EventLoopOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_hosts.Exists(host => host.Name == name)) throw new ArgumentException($"There is a host named {name} already.", nameof(name));
        if (_hosts.Count == 254) throw new InvalidOperationException("A simulation holds at most 254 hosts.");
        var address = new IPAddress([10, 0, 0, (byte)(_hosts.Count + 1)]);
        var host = new SimulatedHost(Network, name, address, options ?? new EventLoopOptions());
        _hosts.Add(host);
        return host;
    }

    /// <summary>Gives all hosts a name with addresses of its own, in place of the one that it may have had.</summary>
    /// <param name="name">The name.</param>
    /// <param name="addresses">Its addresses in the order in which they are answered: of hosts, or of nobody.</param>
    public void AddName(string name, params IPAddress[] addresses)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(addresses);
        Network.Names.Add(name, [.. addresses]);
    }

    /// <summary>The way between two hosts, to change what it is like; between a host and itself it is that of its loopback connections.</summary>
    /// <param name="a">One host.</param>
    /// <param name="b">The other one, or the same.</param>
    /// <returns>The same object at each call.</returns>
    public SimulatedLink Link(SimulatedHost a, SimulatedHost b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Network.LinkBetween(a.Machine, b.Machine);
    }

    /// <summary>
    /// Has a function judge every packet of a TCP connection as it leaves, also one that is sent again, and every datagram over UDP. The first rule that does not let it pass
    /// decides; the oldest is asked first. Unix sockets have no packets.
    /// </summary>
    /// <param name="rule">Called in the midst of what a kernel does: it may crash hosts, add and remove rules, but use no transport. What it throws fails the run, and the packet passes.</param>
    /// <param name="name">Lets <see cref="Explore(Action{Simulation}, int, int, SimulationOptions?, CancellationToken)"/> find out whether a failure needs the rule.</param>
    /// <returns>Removes the rule when it is disposed of.</returns>
    public IDisposable AddRule(Func<PacketInfo, Verdict> rule, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return Network.Rules.Add(rule, name);
    }

    /// <summary>Cuts the network in two: until it is disposed of, every packet is lost that leaves a host of one side for one of the other.</summary>
    /// <param name="side">Hosts of one side.</param>
    /// <param name="other">Hosts of the other side.</param>
    /// <param name="name">As for <see cref="AddRule"/>.</param>
    /// <returns>Heals the network when it is disposed of.</returns>
    public IDisposable Partition(IEnumerable<SimulatedHost> side, IEnumerable<SimulatedHost> other, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(side);
        ArgumentNullException.ThrowIfNull(other);
        HashSet<SimulatedHost> here = [.. side];
        HashSet<SimulatedHost> there = [.. other];
        return AddRule(
            packet => (here.Contains(packet.From) && there.Contains(packet.To)) || (there.Contains(packet.From) && here.Contains(packet.To)) ? Verdict.Drop : Verdict.Pass,
            name);
    }

    /// <summary>As <see cref="Partition"/>, in one direction only: what goes the other way still arrives.</summary>
    /// <param name="from">Hosts whose packets are lost.</param>
    /// <param name="to">Hosts that they are for.</param>
    /// <param name="name">As for <see cref="AddRule"/>.</param>
    /// <returns>Heals the network when it is disposed of.</returns>
    public IDisposable PartitionOneWay(IEnumerable<SimulatedHost> from, IEnumerable<SimulatedHost> to, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        HashSet<SimulatedHost> here = [.. from];
        HashSet<SimulatedHost> there = [.. to];
        return AddRule(packet => here.Contains(packet.From) && there.Contains(packet.To) ? Verdict.Drop : Verdict.Pass, name);
    }

    /// <summary>Makes an address a black hole: connects to it that begin from now on hear nothing, and fail after 127 s with ETIMEDOUT as on Linux.</summary>
    /// <param name="address">The address, of a host or of nobody.</param>
    public void MakeSilent(IPAddress address) => Network.SetReach(address, isSilent: true, isUnreachable: false);

    /// <summary>Lets connects to an address that arrive from now on fail with EHOSTUNREACH, as those to addresses of nobody do.</summary>
    /// <param name="address">The address.</param>
    public void MakeUnreachable(IPAddress address) => Network.SetReach(address, isSilent: false, isUnreachable: true);

    /// <summary>Undoes <see cref="MakeSilent"/> and <see cref="MakeUnreachable"/>.</summary>
    /// <param name="address">The address.</param>
    public void MakeReachable(IPAddress address) => Network.SetReach(address, isSilent: false, isUnreachable: false);

    /// <summary>Runs all hosts until the task is done, which begins on the first host's loop.</summary>
    /// <param name="main">The program.</param>
    /// <exception cref="InvalidOperationException">The host has crashed.</exception>
    /// <exception cref="SimulationStalledException">The task waits for what can never happen, or the step limit is passed.</exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void Run(Func<Task> main)
    {
        if (_hosts.Count == 0) throw new InvalidOperationException("Add a host first.");
        Run(_hosts[0], _ => main());
    }

    /// <summary>Runs all hosts until the task is done, which begins on one host's loop.</summary>
    /// <param name="host">Where.</param>
    /// <param name="main">The program.</param>
    /// <exception cref="InvalidOperationException">The host has crashed.</exception>
    /// <exception cref="SimulationStalledException">The task waits for what can never happen, or the step limit is passed.</exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void Run(SimulatedHost host, Func<EventLoop, Task> main)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(main);
        host.VerifyRunning();
        Task? task = null;
        var loop = host.Loop;
        loop.Core.TryPost(_ => task = Start(loop, main), null);
        _driver.Run(() => task is { IsCompleted: true }, end: null, "main is not done");
        task!.GetAwaiter().GetResult();
        VerifyLaws();
    }

    /// <summary>
    /// Runs all hosts until a fact holds, which is looked at after every pass. The clock stands still while a loop has something to do, then jumps.
    /// </summary>
    /// <param name="condition">The fact.</param>
    /// <param name="limit">How much virtual time it may take at most; null is no limit.</param>
    /// <exception cref="SimulationStalledException">
    /// Nothing can happen any more that could make it hold, or a limit is passed, of time or of steps. The message says who waits for what.
    /// </exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void RunUntil(Func<bool> condition, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (limit is { } most) ArgumentOutOfRangeException.ThrowIfLessThan(most, TimeSpan.Zero, nameof(limit));
        if (!_driver.Run(condition, Time + limit, "the condition does not hold"))
        {
            throw _driver.Stalled($"The condition does not hold after {limit} of virtual time, at {Time}.");
        }

        VerifyLaws();
    }

    /// <summary>Runs all hosts for a span of virtual time. A world in which nothing happens jumps to its end.</summary>
    /// <param name="time">How long.</param>
    /// <exception cref="SimulationStalledException">The step limit is passed.</exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void RunFor(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        _driver.Run(static () => false, Time + time, "");
        VerifyLaws();
    }

    /// <summary>The sockets of all hosts as a table: who listens, which connections there are, in which state, and how many bytes wait.</summary>
    /// <remarks>
    /// Recv-Q: bytes that have arrived and are not read; of a listener, connections that wait to be accepted. Send-Q: bytes that the kernel has taken and that have not
    /// arrived; of a listener, the size of its backlog.
    /// </remarks>
    public string DescribeSockets() => SocketTable.Describe(Network);

    /// <summary>Ends all loops in order.</summary>
    public void Dispose()
    {
        foreach (var host in _hosts)
        {
            // One that ends kills the children that it has started, and their loops are gone.
            foreach (var loop in host.Loops.ToArray())
            {
                if (host.Loops.Contains(loop)) loop.Loop.Dispose();
            }
        }

        Network.Dispose();
    }

    /// <summary>Runs all hosts while a task that belongs to none goes on.</summary>
    internal void RunWith(Task task, Func<bool> outside)
    {
        _driver.Outside = outside;
        try
        {
            _driver.Run(() => task.IsCompleted, end: null, "the scenario is not done");
        }
        finally
        {
            _driver.Outside = null;
        }

        task.GetAwaiter().GetResult();
        VerifyLaws();
    }

    private static async Task Start(EventLoop loop, Func<EventLoop, Task> main) => await main(loop);

    private void VerifyLaws()
    {
        if (Violations.Count > 0) throw new InvalidOperationException(string.Join(Environment.NewLine, Violations));
    }
}
