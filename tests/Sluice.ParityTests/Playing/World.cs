using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Sluice.ParityTests.Playing.Protocols;

namespace Sluice.ParityTests.Playing;

/// <summary>One play of one scenario: its actors, its server and the steps of the program around them, on a kernel. Lives on the loop's thread.</summary>
internal sealed class World
{
    private const int TurnsAfterTheEnd = 3;

    private readonly Scenario _scenario;
    private readonly IPlayKernel _kernel;
    private readonly Dictionary<string, ActorTrace> _traces = [];
    private readonly Dictionary<string, Actor> _actors = [];
    private readonly List<string> _accepted = [];
    private readonly List<SafeHandle> _ends = [];
    private readonly Actor _loopActor;
    private TaskCompletionSource _changed = NewSource();
    private Server? _server;
    private EndPoint? _address;
    private EndPoint? _nobody;

    public World(Scenario scenario, IPlayKernel kernel)
    {
        _scenario = scenario;
        _kernel = kernel;
        _loopActor = new Actor(this, "loop", scenario.OrdersOf("loop"));
    }

    private EventLoop Loop => _kernel.Loop;

    private Server Server => _server ?? throw new InvalidOperationException("Nothing is served.");

    /// <summary>Does the steps and gives what each actor saw and did. What is left open is cleaned up afterwards, unseen.</summary>
    public async Task<Traces> PlayAsync()
    {
        Loop.ExceptionHandler = (_, context) =>
        {
            _loopActor.Note($"exception_handler {PythonNames.Of(context.Exception)}");
            Changed();
        };
        foreach (var step in _scenario.Script) await DoAsync(step);
        await TurnsAsync(TurnsAfterTheEnd);
        var traces = TracesSoFar();
        foreach (var actor in _actors.Values.Where(static actor => actor.IsOpen)) End(actor.Endpoint ?? actor.Transport);
        CloseEnds();
        _server?.Close();
        await TurnsAsync(TurnsAfterTheEnd);
        return traces;
    }

    public Traces TracesSoFar()
    {
        foreach (var trace in _traces.Values) trace.EndRun();
        return new Traces(_traces.Where(static pair => pair.Value.Entries.Count > 0).ToDictionary(static pair => pair.Key, static pair => (IReadOnlyList<string>)[.. pair.Value.Entries]));
    }

    public ActorTrace TraceOf(string actor)
    {
        if (!_traces.TryGetValue(actor, out var trace)) _traces[actor] = trace = new ActorTrace();
        return trace;
    }

    public Actor ActorOf(string name) => _actors[name];

    public Actor AddActor(string name) => _actors[name] = new Actor(this, name, _scenario.OrdersOf(name));

    /// <summary>Where an actor receives datagrams.</summary>
    public EndPoint AddressOf(string actor) => actor == "nobody" ? _nobody ??= _kernel.UnusedAddress() : ActorOf(actor).Endpoint!.GetExtraInfo(ExtraInfo.SocketName)!;

    /// <summary>Whose an address is.</summary>
    public string NameOf(EndPoint? address) => address is null ? "None"
        : _actors.FirstOrDefault(pair => address.Equals(pair.Value.Endpoint?.GetExtraInfo(ExtraInfo.SocketName))).Key ?? "a stranger";

    public void OnServer(string word)
    {
        switch (word)
        {
            case "facts":
                _loopActor.Note($"is_serving {PythonNames.Of(Server.IsServing)}");
                _loopActor.Note($"sockets {Server.Sockets.Count}");
                break;
            case "close":
                Server.Close();
                break;
            case "close_clients":
                Server.CloseClients();
                break;
            case "abort_clients":
                Server.AbortClients();
                break;
            default:
                throw new NotSupportedException($"A server does not know {word}.");
        }
    }

    /// <summary>Something happened that a step may wait for.</summary>
    public void Changed()
    {
        var changed = _changed;
        _changed = NewSource();
        changed.TrySetResult();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void End(IBaseTransport transport)
    {
        if (transport is IWriteTransport writer) writer.Abort();
        else if (transport is IDatagramTransport endpoint) endpoint.Abort();
        else transport.Close();
    }

    private static async Task TurnsAsync(int count)
    {
        for (var i = 0; i < count; i++) await Task.Yield();
    }

    private Task DoAsync(JsonElement step)
    {
        var (word, value) = Scenario.CallOf(step);
        switch (word)
        {
            case "serve":
                return ServeAsync(value.ValueKind != JsonValueKind.Object || value.GetProperty("start").GetBoolean());
            case "connect":
                var name = value.GetString()!;
                return OutcomeAsync($"connect {name}", name, () => Loop.CreateConnectionAsync(() => Make(name), _address ?? _kernel.NewAddress(_scenario.IsUnix)));
            case "pair":
                return PairAsync([.. value.EnumerateArray().Select(static end => end.GetString()!)]);
            case "pipe":
                return PipeAsync([.. value.EnumerateArray().Select(static end => end.GetString())]);
            case "close_end":
                CloseEnds();
                return Task.CompletedTask;
            case "datagram":
                return DatagramAsync(value);
            case "datagram_pair":
                return DatagramPairAsync([.. value.EnumerateArray().Select(static end => end.GetString()!)]);
            case "child":
                return ChildAsync(value);
            case "accepted":
                return AcceptedAsync(value.GetString()!);
            case "wait":
                return WaitAsync(value.GetString()!.Split(' '));
            case "turns":
                return TurnsAsync(value.GetInt32());
            case "server":
                return OnServerAsync(value.GetString()!);
            case "at":
                ActorOf(value.GetProperty("actor").GetString()!).Act(value.GetProperty("do"));
                return Task.CompletedTask;
            case "do":
                _loopActor.Act(value);
                return Task.CompletedTask;
            default:
                throw new NotSupportedException($"No step is called {word}.");
        }
    }

    private async Task ServeAsync(bool start)
    {
        _server = await Loop.CreateServerAsync(Accept, _kernel.NewAddress(_scenario.IsUnix), new ServerOptions { StartServing = start });
        _address = _server.EndPoints[0];
    }

    private IProtocol<ITransport> Accept()
    {
        var name = _accepted.Count == 0 ? "server" : $"server{_accepted.Count + 1}";
        _accepted.Add(name);
        return Make(name);
    }

    private IProtocol<ITransport> Make(string name)
    {
        return Enter(name).Protocol;
    }

    private Actor Enter(string name)
    {
        if (_scenario.OrdersOf(name).TryGetProperty("factory", out var exception)) throw PythonNames.Make(exception.GetString()!);
        return AddActor(name);
    }

    private async Task PairAsync(string[] names)
    {
        var (first, second) = _kernel.Pair();
        await OutcomeAsync($"connect {names[0]}", names[0], () => Loop.AdoptAsync(() => Make(names[0]), first));
        await OutcomeAsync($"connect {names[1]}", names[1], () => Loop.AdoptAsync(() => Make(names[1]), second));
    }

    /// <summary>A pipe from the first actor to the second; where one is null, that end stays bare until close_end.</summary>
    private async Task PipeAsync(string?[] names)
    {
        var (reader, writer) = _kernel.Pipe();
        if (names[0] is { } first) await OutcomeAsync($"connect {first}", first, () => Loop.ConnectWritePipeAsync(() => new WriteActorProtocol(Enter(first)), writer));
        else _ends.Add(writer);
        if (names[1] is { } second) await OutcomeAsync($"connect {second}", second, () => Loop.ConnectReadPipeAsync(() => new ReadActorProtocol(Enter(second)), reader));
        else _ends.Add(reader);
    }

    private void CloseEnds()
    {
        foreach (var end in _ends) end.Dispose();
        _ends.Clear();
    }

    /// <summary>Opens an endpoint: at an address of its own unless it is unnamed, and connected to another actor where that is said.</summary>
    private Task DatagramAsync(JsonElement step)
    {
        var name = step.GetProperty("actor").GetString()!;
        var remote = step.TryGetProperty("to", out var peer) ? AddressOf(peer.GetString()!) : null;
        var isUnnamed = step.TryGetProperty("unnamed", out var unnamed) && unnamed.GetBoolean();
        var local = isUnnamed ? null : _kernel.NewAddress(_scenario.IsUnix);
        var options = new DatagramOptions { AllowBroadcast = step.TryGetProperty("broadcast", out var broadcast) && broadcast.GetBoolean() };
        return OutcomeAsync($"datagram {name}", name, () => Loop.CreateDatagramEndpointAsync(() => MakeDatagrams(name), local, remote, options));
    }

    private async Task DatagramPairAsync(string[] names)
    {
        var (first, second) = _kernel.DatagramPair();
        await OutcomeAsync($"datagram {names[0]}", names[0], () => Loop.AdoptDatagramAsync(() => MakeDatagrams(names[0]), first));
        await OutcomeAsync($"datagram {names[1]}", names[1], () => Loop.AdoptDatagramAsync(() => MakeDatagrams(names[1]), second));
    }

    private DatagramActorProtocol MakeDatagrams(string name)
    {
        if (_scenario.OrdersOf(name).TryGetProperty("factory", out var exception)) throw PythonNames.Make(exception.GetString()!);
        return AddActor(name).Datagrams!;
    }

    /// <summary>Starts a child process. Whether callbacks come before the caller goes on is chance, so that only a failure is noted.</summary>
    private async Task ChildAsync(JsonElement step)
    {
        var name = step.GetProperty("actor").GetString()!;
        try
        {
            await ChildActorProtocol.StartAsync(Loop, step, () => new ChildActorProtocol(this, Enter(name)));
        }
        catch (Exception exception)
        {
            _loopActor.Note($"child {name} {PythonNames.Of(exception)}");
        }
    }

    private async Task AcceptedAsync(string name)
    {
        var (client, accepted) = PlaySockets.Connect();
        await OutcomeAsync("connect client", "client", () => Loop.CreateConnectionAsync(() => Make("client"), client));
        await OutcomeAsync($"accepted {name}", name, () => Loop.CreateConnectionAsync(() => Make(name), accepted));
    }

    private async Task OutcomeAsync(string what, string name, Func<Task> connect)
    {
        try
        {
            await connect();
            ActorOf(name).Note("connected");
        }
        catch (Exception exception)
        {
            _loopActor.Note($"{what} {PythonNames.Of(exception)}");
        }
    }

    private async Task WaitAsync(string[] condition)
    {
        while (!Holds(condition[0], condition[1], condition is [_, _, var count] ? int.Parse(count, System.Globalization.CultureInfo.InvariantCulture) : 0))
        {
            await _changed.Task;
        }
    }

    private bool Holds(string name, string fact, int count)
    {
        if (name == "loop") return TraceOf("loop").Entries.Count >= count;
        return _actors.TryGetValue(name, out var actor) && actor.Knows(fact) && (fact != "received" || actor.Received >= count);
    }

    private Task OnServerAsync(string word)
    {
        switch (word)
        {
            case "wait_closed":
                _ = ReportAsync(word, Server.WaitClosedAsync);
                return Task.CompletedTask;
            case "serve_forever":
                _ = ReportAsync(word, () => Server.ServeForeverAsync());
                return Task.CompletedTask;
            case "start_serving":
                return ReportAsync(word, Server.StartServingAsync);
            default:
                OnServer(word);
                return Task.CompletedTask;
        }
    }

    /// <summary>How something ended, and which of the server's connections had been lost by then.</summary>
    private async Task ReportAsync(string word, Func<Task> call)
    {
        var end = "done";
        try
        {
            await call();
        }
        catch (Exception exception)
        {
            end = PythonNames.Of(exception);
        }

        var lost = _accepted.Where(name => _actors.TryGetValue(name, out var actor) && actor.Knows("lost")).DefaultIfEmpty("none");
        _loopActor.Note($"{word} {end} after {string.Join(' ', lost)}");
        Changed();
    }
}
