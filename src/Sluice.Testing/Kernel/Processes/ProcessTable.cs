using Sluice.Backends;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel.Processes;

/// <summary>The programs that a machine has, and the children that run on it. Owned by the machine.</summary>
internal sealed class ProcessTable(SimulatedMachine machine)
{
    private const int FirstChild = 1000;
    private const int StandardStreams = 3;

    private static readonly Dictionary<string, string> NoEnvironment = [];

    private readonly Dictionary<string, Func<SimulatedProcess, Task<int>>> _programs = [];
    private readonly List<SimulatedProcess> _running = [];
    private int _next = FirstChild;

    /// <summary>The children that have not ended, whoever has started them.</summary>
    public IReadOnlyList<SimulatedProcess> Running => _running;

    public void Add(string name, Func<SimulatedProcess, Task<int>> program) => _programs[name] = program;

    public void Remove(SimulatedProcess process) => _running.Remove(process);

    /// <summary>The machine has crashed: they are gone without a word.</summary>
    public void Clear() => _running.Clear();

    /// <summary>Starts a child of the process behind a backend, or of the host's own program.</summary>
    public SimulatedChild Spawn(SimulatedBackend parent, SpawnRequest request, IExitSink sink)
    {
        if (machine.Faults.TryTakeSpawn(out var fault)) throw new IOException($"Cannot start \"{request.Program}\": {fault.ToException().Message}", fault.Errno);
        var program = Find(request.Program);
        if (request.ExtraDescriptors is { Count: > 0 }) throw new NotSupportedException("A simulated process has its three standard streams alone.");
        foreach (var stream in request.Streams) Verify(stream);
        var pipes = new StreamChannel?[StandardStreams];
        var descriptors = new SimulatedSocket?[StandardStreams];
        for (var fd = 0; fd < StandardStreams; fd++) descriptors[fd] = Open(parent, request.Streams[fd], fd, descriptors, pipes);
        var process = new SimulatedProcess(
            machine,
            machine.Host!.MakeProcessLoop(),
            _next++,
            request.Arguments,
            request.WorkingDirectory ?? parent.Process?.WorkingDirectory ?? "/",
            request.Environment ?? parent.Process?.Environment ?? NoEnvironment,
            descriptors);
        _running.Add(process);
        process.Start(program);
        return new SimulatedChild(parent, process, pipes, sink);
    }

    /// <summary>By its whole name or, where nothing has that, by what stands behind the last slash.</summary>
    private Func<SimulatedProcess, Task<int>> Find(string name) =>
        _programs.TryGetValue(name, out var program) || _programs.TryGetValue(name[(name.LastIndexOf('/') + 1)..], out program)
            ? program
            : throw new FileNotFoundException($"Cannot start \"{name}\": the simulated host {machine.Name} has no such program.", name);

    private static void Verify(ChildStream stream)
    {
        if (stream.Kind == ChildStreamKind.Handle && stream.Handle is not SimulatedSocketHandle { HoldsSocket: true })
        {
            throw new ArgumentException("A simulated process can be given no other open files than simulated pipes and sockets.");
        }
    }

    private static SimulatedSocket? Open(SimulatedBackend parent, ChildStream stream, int fd, SimulatedSocket?[] descriptors, StreamChannel?[] pipes)
    {
        switch (stream.Kind)
        {
            case ChildStreamKind.Pipe:
                var (reader, writer) = parent.CreatePipe();
                var (ours, theirs) = fd == 0 ? (writer, reader) : (reader, writer);
                pipes[fd] = parent.OpenPipe(ours, fd == 0 ? PipeEnd.Write : PipeEnd.Read);
                return theirs.Take();
            case ChildStreamKind.Inherited:
                return Held(parent.Process?.DescriptorAt(fd));
            case ChildStreamKind.Handle:
                return Held(((SimulatedSocketHandle)stream.Handle!).Kernel);
            case ChildStreamKind.StandardOutput:
                return Held(descriptors[1]);
            default:
                return null;
        }
    }

    private static SimulatedSocket? Held(SimulatedSocket? socket)
    {
        socket?.Hold();
        return socket;
    }
}
