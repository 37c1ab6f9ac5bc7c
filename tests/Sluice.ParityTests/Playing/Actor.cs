using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Sluice.ParityTests.Playing.Protocols;

namespace Sluice.ParityTests.Playing;

/// <summary>One protocol of a scenario: what it sees goes to its trace, and in each callback it does what it is ordered. Owned by its world.</summary>
internal sealed class Actor
{
    // One mebibyte is always more than the kernel takes at once.
    private const int SendBufferSize = 131072;

    private readonly JsonElement _orders;
    private readonly ActorTrace _trace;
    private readonly ActorActions _actions;
    private readonly World _world;
    private readonly HashSet<string> _ran = [];
    private readonly HashSet<string> _facts = [];

    public Actor(World world, string name, JsonElement orders)
    {
        _world = world;
        Name = name;
        _orders = orders;
        _trace = world.TraceOf(name);
        _actions = new ActorActions(world, this);
        if (orders.TryGetProperty("kind", out var family) && family.GetString() == "datagram") Datagrams = new DatagramActorProtocol(this);
        var isBuffered = orders.TryGetProperty("kind", out var kind) && kind.GetString() == "buffered";
        var bufferSize = orders.TryGetProperty("buffer", out var size) ? size.GetInt32() : 65536;
        Protocol = isBuffered ? new BufferedActorProtocol(this, bufferSize) : new PlainActorProtocol(this);
    }

    public string Name { get; }

    public IProtocol<ITransport> Protocol { get; }

    /// <summary>Its protocol where it has datagrams, else null.</summary>
    public DatagramActorProtocol? Datagrams { get; }

    /// <summary>Its endpoint, once that is made.</summary>
    public IDatagramTransport? Endpoint { get; set; }

    /// <summary>Its child process, once that is made.</summary>
    public ISubprocessTransport? Child { get; set; }

    /// <summary>Its transport, once the connection is made or another actor has handed it over.</summary>
    public IBaseTransport Transport
    {
        get => field ?? throw new InvalidOperationException($"{Name} has no transport.");
        set;
    }

    /// <summary>The same, as what receives.</summary>
    public IReadTransport Receiver => (IReadTransport)Transport;

    /// <summary>The same, as what sends.</summary>
    public IWriteTransport Sender => (IWriteTransport)Transport;

    public int Received { get; private set; }

    public bool IsOpen => Knows("made") && !Knows("lost");

    /// <summary>Whether something has happened to it: "made", "received", "eof", "paused", "resumed", "lost", "note".</summary>
    public bool Knows(string fact) => _facts.Contains(fact);

    public void Note(string entry) => _trace.Note(entry);

    public void Happened(string fact)
    {
        _facts.Add(fact);
        _world.Changed();
    }

    public void Act(JsonElement actions) => _actions.Run(actions);

    /// <summary>A hook's actions, the first time that it is reached.</summary>
    public void Once(string hook)
    {
        if (_orders.TryGetProperty(hook, out var actions) && _ran.Add(hook)) Act(actions);
    }

    public void Made(IBaseTransport transport)
    {
        Transport = transport;
        transport.GetExtraInfo(ExtraInfo.Socket)?.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, SendBufferSize);
        Note("connection_made");
        Happened("made");
        Once("made");
    }

    public void Data(ReadOnlySpan<byte> data)
    {
        Received += data.Length;
        _trace.Data(data);
        Happened("received");
        if (IsOrdered("echo")) Sender.Write(data);
        RunDataHooks();
    }

    public bool Eof()
    {
        Note("eof_received");
        Happened("eof");
        Once("eof");
        return IsOrdered("keep_open");
    }

    /// <summary>Sends a file of its own, notes what came of it, and goes on with what is ordered for then.</summary>
    public async Task SendFileAsync(JsonElement order)
    {
        await using var file = new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 4096, FileOptions.DeleteOnClose);
        file.Write(BytePattern.Take(0, NumberOf("size") ?? 0));
        file.Position = NumberOf("position") ?? 0;
        string end;
        try
        {
            end = $"{await EventLoop.Current.SendFileAsync((ITransport)Transport, file, NumberOf("offset") ?? 0, NumberOf("count"))}";
        }
        catch (Exception exception)
        {
            end = PythonNames.Of(exception);
        }

        Note($"sendfile {end} at {file.Position}");
        Happened("note");
        if (order.TryGetProperty("do", out var then)) Act(then);

        int? NumberOf(string name) => order.TryGetProperty(name, out var value) ? value.GetInt32() : null;
    }

    public void Flow(string name)
    {
        Note($"{name}_writing");
        Happened($"{name}d");
        Once(name);
    }

    public void Lost(Exception? exception)
    {
        Note($"connection_lost {PythonNames.Of(exception)}");
        Happened("lost");
        Once("lost");
    }

    /// <summary>The child has written so many bytes to its output.</summary>
    public void Output(int count)
    {
        Received += count;
        Happened("received");
        RunDataHooks();
    }

    public void EndpointMade(IDatagramTransport endpoint)
    {
        Endpoint = endpoint;
        Note("connection_made");
        Happened("made");
        Once("made");
    }

    public void Datagram(ReadOnlySpan<byte> data, EndPoint? address)
    {
        Received++;
        Note($"datagram {ActorTrace.Describe(data)} from {_world.NameOf(address)}");
        Happened("received");
        if (IsOrdered("echo")) Endpoint!.SendTo(data, address);
        RunDataHooks();
    }

    public void Error(Exception exception)
    {
        Note($"error_received {PythonNames.Of(exception)}");
        Happened("error");
        Once("error");
    }

    private void RunDataHooks()
    {
        if (!_orders.TryGetProperty("data", out var hooks)) return;
        foreach (var (index, hook) in hooks.EnumerateArray().Index())
        {
            if (Received >= hook.GetProperty("after").GetInt32() && _ran.Add($"data {index}")) Act(hook.GetProperty("do"));
        }
    }

    private bool IsOrdered(string flag) => _orders.TryGetProperty(flag, out var value) && value.GetBoolean();
}
