using System.Net;
using System.Runtime.InteropServices;
using Sluice.Primitives;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Datagrams;

namespace Sluice.Testing;

/// <summary>One machine of a <see cref="Simulation"/>: loops over its own simulated kernel, and the programs that run on it.</summary>
/// <remarks>Its members are called on the thread that runs the simulation, on any host's loop or between runs.</remarks>
public sealed class SimulatedHost
{
    private readonly SimulatedMachine _machine;
    private readonly EventLoopOptions _options;
    private readonly List<Func<EventLoop, Task>> _programs = [];
    private readonly List<HostLoop> _loops = [];
    private HostLoop _main;
    private int _running;

    internal SimulatedHost(SimulatedNetwork network, string name, IPAddress address, EventLoopOptions options)
    {
        _machine = new SimulatedMachine(network, name, address) { Host = this };
        _options = options;
        _main = MakeLoop(options);
    }

    /// <summary>The name that other hosts can resolve.</summary>
    public string Name => _machine.Name;

    /// <summary>The address that other hosts can connect to; loopback addresses mean the host itself.</summary>
    public IPAddress Address => _machine.Address;

    /// <summary>The same by IPv6: fd00::N.</summary>
    public IPAddress AddressV6 => _machine.AddressV6;

    /// <summary>
    /// Called with the address whenever the host's kernel is asked to connect, also where that fails at once: to see in which order and when
    /// addresses are tried.
    /// </summary>
    public Action<EndPoint>? Connecting
    {
        get => _machine.Connecting;
        set => _machine.Connecting = value;
    }

    /// <summary>
    /// The host's loop: another one after each <see cref="Restart"/>, and after a <see cref="Crash"/> one that never runs again. The simulation runs it; do
    /// not run it yourself.
    /// </summary>
    public EventLoop Loop => _main.Loop;

    /// <summary>False between <see cref="Crash"/> and <see cref="Restart"/>.</summary>
    public bool IsRunning => !_machine.IsDown;

    /// <summary>What goes wrong here, on demand.</summary>
    public HostFaults Faults => _machine.Faults;

    /// <summary>The host's program, as <see cref="ExtraInfo.PeerCredentials"/> shows it to Unix peers: process 100 + n of user and group 1000.</summary>
    public PeerCredentials Credentials => _machine.Credentials;

    /// <summary>Who connects to the host's Unix sockets from here on: set it to try what a server does with a stranger. Null, the default: the host's own program.</summary>
    public PeerCredentials? ClientCredentials
    {
        get => _machine.ClientCredentials;
        set => _machine.ClientCredentials = value;
    }

    internal SimulatedMachine Machine => _machine;

    internal SimulatedBackend Backend => _main.Backend;

    internal List<HostLoop> Loops => _loops;

    /// <summary>How a program failed that nobody has heard of yet.</summary>
    internal SimulatedHostException? Failure { get; set; }

    /// <summary>
    /// Starts a program on the host's loop: it begins with the next run of the simulation, and again after each <see cref="Restart"/>. Ordinary async code.
    /// If it fails, the run that is under way throws <see cref="SimulatedHostException"/>.
    /// </summary>
    /// <param name="program">Called on the loop.</param>
    /// <exception cref="InvalidOperationException">The host has crashed.</exception>
    public void Start(Func<EventLoop, Task> program)
    {
        ArgumentNullException.ThrowIfNull(program);
        VerifyRunning();
        _programs.Add(program);
        Launch(program);
    }

    /// <summary>
    /// Adds a loop to the host, as a program has that runs several: it shares addresses, ports and files with the others. A crash takes it away, and
    /// <see cref="Restart"/> does not bring it back.
    /// </summary>
    /// <param name="options">How it is made, or null for the defaults.</param>
    /// <returns>The loop. The simulation runs it; do not run it yourself.</returns>
    /// <exception cref="InvalidOperationException">The host has crashed.</exception>
    public EventLoop AddLoop(EventLoopOptions? options = null)
    {
        VerifyRunning();
        return MakeLoop(options ?? new EventLoopOptions()).Loop;
    }

    /// <summary>
    /// Cuts the host's power: its loops and sockets are gone at once, without a callback here or a word to the peers. What has left the host still arrives;
    /// what its kernel held for later does not. Peers notice when what they send is not answered: by ETIMEDOUT, or by a reset once the host
    /// is up again. The files of its Unix sockets stay behind.
    /// </summary>
    /// <remarks>
    /// Called on the host's own loop, or by a rule about what it sends, its network is gone at once, and the loop still finishes its pass. Nothing of the
    /// host's old loops ever completes: do not await it elsewhere. A second call does nothing.
    /// </remarks>
    public void Crash()
    {
        if (!IsRunning) return;
        var loops = _loops.ToArray();
        _loops.Clear();
        _running = 0;
        _machine.Crash();
        foreach (var loop in loops)
        {
            if (!loop.Loop.IsRunning) loop.Backend.Dispose();
        }
    }

    /// <summary>
    /// Starts the host again with a new <see cref="Loop"/>, on which the programs begin anew that were given to <see cref="Start"/>. One that still runs crashes
    /// first.
    /// </summary>
    public void Restart()
    {
        Crash();
        _machine.Boot();
        _main = MakeLoop(_options);
        foreach (var program in _programs) Launch(program);
    }

    /// <summary>
    /// Sends the host's program a signal: the handler of <see cref="EventLoop.AddSignalHandler"/> is called back when its loop comes to it. No real signal
    /// reaches a simulated loop. Called on the thread that runs the simulation.
    /// </summary>
    /// <param name="signal">A named signal, or the number of any other.</param>
    /// <returns>
    /// True where there is a handler. Otherwise the signal's default action would be taken, mostly the end of the program; a simulation does not
    /// do that.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such signal.</exception>
    public bool SendSignal(PosixSignal signal)
    {
        var number = SignalNumber.Of(signal);
        if (number == 0) throw new ArgumentOutOfRangeException(nameof(signal), signal, "There is no such signal.");
        return _machine.SendSignal(number);
    }

    /// <summary>
    /// Gives the host a program that its loops can start as a child process, by
    /// <see cref="EventLoop.SubprocessExecAsync{TProtocol}(Func{TProtocol}, string, IEnumerable{string}, SubprocessOptions?, CancellationToken)"/> or <see cref="Subprocess"/>; under the name <c>sh</c>,
    /// it is what runs shell commands. It outlives crashes of the host, as the files of a machine do.
    /// </summary>
    /// <param name="name">Its name, or its path. A path that nobody has given a program is looked up by its last part.</param>
    /// <param name="program">
    /// Called on the loop of each process that runs it. Ordinary async code; its result is the exit code. If it throws, the run that is under way throws
    /// <see cref="SimulatedHostException"/>.
    /// </param>
    public void AddProgram(string name, Func<SimulatedProcess, Task<int>> program)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(program);
        _machine.Processes.Add(name, program);
    }

    /// <summary>Two connected sockets that no transport holds yet: handles for the loop's methods that take over an existing socket.</summary>
    public (SafeHandle First, SafeHandle Second) CreateStreamPair() => Backend.CreateStreamPair();

    /// <summary>Two connected Unix datagram sockets without names that no transport holds yet.</summary>
    public (SafeHandle First, SafeHandle Second) CreateDatagramPair()
    {
        var (first, second) = SimulatedDatagramSocket.CreatePair(_machine);
        return (new SimulatedDatagramHandle(first), new SimulatedDatagramHandle(second));
    }

    /// <summary>The two ends of a pipe that no transport holds yet: handles for <c>ConnectReadPipeAsync</c> and <c>ConnectWritePipeAsync</c>.</summary>
    public (SafeHandle Reader, SafeHandle Writer) CreatePipe() => Backend.CreatePipe();

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal void VerifyRunning()
    {
        if (!IsRunning) throw new InvalidOperationException($"The host {Name} has crashed; restart it first.");
    }

    /// <summary>What the host's loops wait for, and how many of its programs are not done.</summary>
    internal string DescribeWaits()
    {
        var programs = _running == 0 ? "" : $" ({_running} of its programs {(_running == 1 ? "is" : "are")} not done)";
        return _machine.DescribeWaits() + programs;
    }

    internal HostLoop MakeProcessLoop() => MakeLoop(_options);

    /// <summary>The process of a loop has ended, perhaps in a step of its own.</summary>
    internal void EndLoop(HostLoop loop)
    {
        _loops.Remove(loop);
        loop.Backend.EndWithProcess();
        if (!loop.Loop.IsRunning) loop.Backend.Dispose();
    }

    private HostLoop MakeLoop(EventLoopOptions options)
    {
        var loop = new HostLoop(_machine, options);
        _loops.Add(loop);
        return loop;
    }

    private void Launch(Func<EventLoop, Task> program)
    {
        var boot = _machine.Boots;
        var loop = Loop;
        _running++;
        loop.Core.TryPost(_ => Watch(loop, program, boot), null);
    }

    private async void Watch(EventLoop loop, Func<EventLoop, Task> program, int boot)
    {
        try
        {
            await program(loop);
        }
        catch (Exception exception)
        {
            // What a program of an earlier life does is nobody's concern.
            if (boot == _machine.Boots) Failure ??= new SimulatedHostException(Name, exception);
        }

        if (boot == _machine.Boots) _running--;
    }
}
