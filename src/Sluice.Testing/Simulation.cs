using System.Net;
using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <summary>
/// Hosts with real loops and transports over simulated kernels, on the calling thread, under one virtual clock and one seed: the same
/// seed replays the same run.
/// </summary>
/// <remarks>
/// The clock stands still while any loop has something to do, and then jumps to the first timer or network event. A program that waits
/// for what can never happen fails with <see cref="SimulationStalledException"/> instead of hanging. Determinism ends where the program
/// leaves the loops: no thread pool (Task.WhenAny and its kin may use it), no real clock.
/// </remarks>
public sealed class Simulation : IDisposable
{
    // A continuation may be on its way through the thread pool; only then does real time pass.
    private static readonly TimeSpan PatienceWithOtherThreads = TimeSpan.FromMilliseconds(250);

    private readonly List<SimulatedHost> _hosts = [];

    /// <summary>With no hosts yet.</summary>
    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="options">What the kernels may do, or null for the defaults.</param>
    public Simulation(int seed, SimulationOptions? options = null)
    {
        Seed = seed;
        Network = new SimulatedNetwork(seed, options ?? new SimulationOptions());
    }

    /// <summary>Over a network made for the purpose.</summary>
    internal Simulation(SimulatedNetwork network, int seed)
    {
        Seed = seed;
        Network = network;
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

    internal SimulatedNetwork Network { get; }

    /// <summary>Hears of every pass after it, for judges that look at the whole world.</summary>
    internal Action<SimulatedHost>? PassEnded { get; set; }

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
    /// <exception cref="SimulationStalledException">The task waits for what can never happen, or the step limit is passed.</exception>
    public void Run(Func<Task> main)
    {
        if (_hosts.Count == 0) throw new InvalidOperationException("Add a host first.");
        Run(_hosts[0], _ => main());
    }

    /// <summary>Runs all hosts until the task is done, which begins on one host's loop.</summary>
    /// <param name="host">Where.</param>
    /// <param name="main">The program.</param>
    /// <exception cref="SimulationStalledException">The task waits for what can never happen, or the step limit is passed.</exception>
    public void Run(SimulatedHost host, Func<EventLoop, Task> main)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(main);
        Task? task = null;
        host.Loop.Core.TryPost(_ => task = Start(host.Loop, main), null);
        var steps = 0L;
        while (task is not { IsCompleted: true })
        {
            if (++steps > Network.Options.StepLimit) throw new SimulationStalledException($"The run took more than {Network.Options.StepLimit:N0} passes.");
            if (!RunPasses() && task is not { IsCompleted: true }) JumpToNextEvent();
        }

        task.GetAwaiter().GetResult();
        if (Violations.Count > 0) throw new InvalidOperationException(string.Join(Environment.NewLine, Violations));
    }

    /// <summary>Ends all loops in order.</summary>
    public void Dispose()
    {
        foreach (var host in _hosts) host.Loop.Dispose();
        Network.Dispose();
    }

    private static async Task Start(EventLoop loop, Func<EventLoop, Task> main) => await main(loop);

    /// <summary>A pass of each host that has something to do.</summary>
    /// <returns>False where none has: time may go on.</returns>
    private bool RunPasses()
    {
        Network.RunDueEvents();
        var ran = false;
        foreach (var host in _hosts)
        {
            if (!HasWork(host)) continue;
            ran = true;
            using (host.Loop.Enter()) host.Loop.Core.RunPass(TimeSpan.Zero);
            PassEnded?.Invoke(host);
        }

        return ran;
    }

    private bool HasWork(SimulatedHost host) =>
        !host.Loop.IsClosed && (host.Loop.Core.HasReadyWork || host.Backend.IsReady || NextTimer(host) <= Time);

    private bool AnyHasWork()
    {
        Network.RunDueEvents();
        return _hosts.Exists(HasWork);
    }

    private void JumpToNextEvent()
    {
        Network.Woken.Reset();
        if (AnyHasWork()) return;
        var next = Network.NextEvent;
        foreach (var host in _hosts)
        {
            if (NextTimer(host) is { } timer && (next is null || timer < next)) next = timer;
        }

        if (next is null || next == TimeSpan.MaxValue)
        {
            if (Network.Woken.Wait(PatienceWithOtherThreads)) return;
            throw new SimulationStalledException($"Nothing can happen any more, and main is not done.{Environment.NewLine}{Network.DescribeWaits()}");
        }

        Network.Clock.JumpTo(next.Value);
    }

    private static TimeSpan? NextTimer(SimulatedHost host) => host.Loop.IsClosed ? null : host.Loop.Core.NextTimer;
}
