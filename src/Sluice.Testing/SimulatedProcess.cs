using Sluice.Primitives;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Processes;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing;

/// <summary>
/// A child process in a simulation, as its program sees it: see <see cref="SimulatedHost.AddProgram"/>. It has a loop of its own on its host and may do there all that programs do:
/// connect, serve, wait, and start children, which live on when it ends.
/// </summary>
/// <remarks>
/// <para>A signal calls the handler that the program has added to its loop (<see cref="EventLoop.AddSignalHandler"/>). Without one it ends the process where that is the signal's
/// default action; to stop processes and continue them is not simulated. SIGKILL always ends it: between two of its steps, without a word.</para>
/// <para>Writing to a pipe that nobody reads any more brings SIGPIPE; where the program handles that, the write throws.</para>
/// </remarks>
public sealed class SimulatedProcess
{
    private const int KillSignal = 9;
    private const int FirstStopSignal = 19;
    private const int LastStopSignal = 22;
    private const int FailedProgram = 1;

    private readonly SimulatedMachine _machine;
    private readonly HostLoop _loop;
    private readonly ProgramStream[] _streams;

    /// <param name="machine">Where it runs.</param>
    /// <param name="loop">Its own.</param>
    /// <param name="id">Its number.</param>
    /// <param name="arguments">With argument zero.</param>
    /// <param name="directory">Where it starts.</param>
    /// <param name="environment">Its own.</param>
    /// <param name="descriptors">Its standard streams, held for it.</param>
    internal SimulatedProcess(
        SimulatedMachine machine,
        HostLoop loop,
        int id,
        IReadOnlyList<string> arguments,
        string directory,
        IReadOnlyDictionary<string, string> environment,
        SimulatedSocket?[] descriptors)
    {
        _machine = machine;
        _loop = loop;
        ProcessId = id;
        ArgumentZero = arguments[0];
        Arguments = [.. arguments.Skip(1)];
        WorkingDirectory = directory;
        Environment = environment;
        loop.Backend.Process = this;
        _streams =
        [
            new ProgramInput(loop.Backend, descriptors[0]),
            new ProgramOutput(loop.Backend, descriptors[1]),
            new ProgramOutput(loop.Backend, descriptors[2]),
        ];
    }

    /// <summary>Its number, which no other process of its host gets.</summary>
    public int ProcessId { get; }

    /// <summary>Its loop, on which the program runs.</summary>
    public EventLoop Loop => _loop.Loop;

    /// <summary>The name under which it was started.</summary>
    public string ArgumentZero { get; }

    /// <summary>Its arguments, argument zero apart.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>The directory that it was started in. Nothing but a name: a simulation has no directories.</summary>
    public string WorkingDirectory { get; }

    /// <summary>Its environment; that of a host's own program is empty.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Its standard input. <c>ReadAsync</c> waits; dispose of it to close it.</summary>
    public Stream StandardInput => _streams[0];

    /// <summary>Its standard output. <c>WriteAsync</c> waits while the pipe is full; dispose of it to close it.</summary>
    public Stream StandardOutput => _streams[1];

    /// <summary>Its standard error; else as <see cref="StandardOutput"/>.</summary>
    public Stream StandardError => _streams[2];

    /// <summary>How it ended, or null.</summary>
    internal int? ReturnCode { get; private set; }

    /// <summary>Told once when it has ended.</summary>
    internal Action? Ended { get; set; }

    /// <summary>Number and name, for logs.</summary>
    public override string ToString() => $"{ArgumentZero} ({ProcessId})";

    /// <summary>What one of its descriptors means now.</summary>
    internal SimulatedSocket? DescriptorAt(int fd) => _streams[fd].Kernel;

    internal void Start(Func<SimulatedProcess, Task<int>> program)
    {
        _machine.Network.Trace.Add(KernelEvent.ProcessStart, ProcessId, 0, this);
        Loop.Core.TryPost(_ => Run(program), null);
    }

    internal void Signal(int number)
    {
        if (ReturnCode is not null) return;
        _machine.Network.Trace.Add(KernelEvent.Signal, ProcessId, number, this);
        if (number == KillSignal) End(-number);
        else if (!_loop.Backend.SendSignal(number) && !SignalNumber.IsHarmless(number) && number is < FirstStopSignal or > LastStopSignal) End(-number);
    }

    /// <summary>It is gone: the kernel closes what it has open, and its loop never runs again.</summary>
    internal void End(int code)
    {
        if (ReturnCode is not null) return;
        ReturnCode = code;
        _machine.Network.Trace.Add(KernelEvent.ProcessEnd, ProcessId, code, this);
        _machine.Processes.Remove(this);
        _machine.Host!.EndLoop(_loop);
        foreach (var stream in _streams) stream.Dispose();
        Ended?.Invoke();
    }

    private async void Run(Func<SimulatedProcess, Task<int>> program)
    {
        int code;
        try
        {
            code = await program(this) & 0xFF;
        }
        catch (Exception exception)
        {
            if (ReturnCode is null) _machine.Host!.Failure ??= new SimulatedHostException($"{_machine.Name}: {this}", exception);
            code = FailedProgram;
        }

        End(code);
    }
}
