using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sluice.Testing.Kits;

/// <summary>What checks of datagram endpoints ask of their stage: addresses, raw sockets, endpoints, and a watch over these. Owned by the stage.</summary>
internal abstract class DatagramKit(KernelStage stage)
{
    private readonly List<RecordingDatagramProtocol> _protocols = [];

    public EventLoop Loop => stage.Loop;

    /// <summary>The family of the stage's addresses.</summary>
    public abstract AddressFamily Family { get; }

    public bool IsUnix => Family == AddressFamily.Unix;

    /// <summary>Breaches of the contract by all endpoints of the check, in words.</summary>
    public IEnumerable<string> Violations => _protocols.SelectMany(static protocol => protocol.Violations);

    /// <summary>The loopback address of the family.</summary>
    public IPAddress Loopback => Family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;

    /// <summary>An address to bind that nobody has: port 0 of loopback, or a path.</summary>
    public abstract EndPoint CreateAddress();

    /// <summary>For UDP: an address whose port stays nobody's until the check binds it.</summary>
    public abstract IPEndPoint CreateUnusedAddress();

    /// <summary>A datagram socket that no transport holds yet.</summary>
    /// <param name="local">Where it is bound.</param>
    /// <param name="name">The address that it got.</param>
    public abstract SafeHandle CreateSocket(EndPoint local, out EndPoint name);

    /// <summary>Two Unix sockets without names, connected to each other.</summary>
    public abstract (SafeHandle First, SafeHandle Second) CreateUnnamedPair();

    /// <summary>Sends a datagram from a socket that is no endpoint's.</summary>
    public abstract void SendRaw(ReadOnlySpan<byte> data, EndPoint to);

    /// <summary>A receiver that takes nothing until it is told to: who sends to it waits for room in the end. Needs <see cref="CheckNeeds.DatagramRoom"/>.</summary>
    public abstract StuckReceiver CreateStuckReceiver();

    /// <summary>Whether a socket is in nobody's hand any more.</summary>
    public abstract bool IsClosed(SafeHandle socket);

    /// <summary>Has the kit watch over a protocol that a check opens itself.</summary>
    public RecordingDatagramProtocol Watch(RecordingDatagramProtocol protocol)
    {
        if (!_protocols.Contains(protocol)) _protocols.Add(protocol);
        return protocol;
    }

    /// <summary>Opens an endpoint: at an address of its own where neither is given.</summary>
    public async Task<DatagramEnd> OpenAsync(
        EndPoint? local = null, EndPoint? remote = null, DatagramOptions? options = null, RecordingDatagramProtocol? protocol = null)
    {
        if (local is null && remote is null && options is null or { AddressFamily: AddressFamily.Unspecified }) local = CreateAddress();
        var (transport, made) = await Loop.CreateDatagramEndpointAsync(() => Watch(protocol ?? new RecordingDatagramProtocol()), local, remote, options);
        await ReadingAsync();
        return new DatagramEnd(transport, made);
    }

    /// <summary>Opens an endpoint that is connected to another, and has a name that this can answer to.</summary>
    public Task<DatagramEnd> ConnectAsync(EndPoint remote, DatagramOptions? options = null, RecordingDatagramProtocol? protocol = null) =>
        OpenAsync(IsUnix ? CreateAddress() : null, remote, options, protocol);

    /// <summary>Takes over a socket.</summary>
    public async Task<DatagramEnd> AdoptAsync(SafeHandle socket, RecordingDatagramProtocol? protocol = null)
    {
        var (transport, made) = await Loop.AdoptDatagramAsync(() => Watch(protocol ?? new RecordingDatagramProtocol()), socket);
        await ReadingAsync();
        return new DatagramEnd(transport, made);
    }

    /// <summary>A server at an address, and a client that is connected to it.</summary>
    public async Task<(DatagramEnd Client, DatagramEnd Server)> PairAsync(RecordingDatagramProtocol? client = null, RecordingDatagramProtocol? server = null)
    {
        var far = await OpenAsync(protocol: server);
        return (await ConnectAsync(far.Address, protocol: client), far);
    }

    /// <summary>Closes what the check left open and waits until all are lost.</summary>
    public async Task CloseAsync()
    {
        CloseRaw();
        foreach (var protocol in _protocols) protocol.MadeTransport?.Close();
        foreach (var protocol in _protocols.Where(static protocol => protocol.MadeTransport is not null)) await protocol.Lost;
    }

    /// <summary>Closes the receivers that were stuck.</summary>
    protected abstract void CloseRaw();

    public string Describe() => string.Join(Environment.NewLine, _protocols.Select(static (protocol, i) => $"datagram protocol {i}: {protocol}"));

    // Reading begins in a turn behind the caller's.
    private Task ReadingAsync() => stage.PassesAsync(2);
}
