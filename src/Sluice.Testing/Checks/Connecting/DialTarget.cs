using System.Net;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>A TCP listener of a check, and addresses that refuse connects to its port or never answer them.</summary>
internal sealed class DialTarget
{
    private readonly KernelStage _stage;

    private DialTarget(KernelStage stage) => _stage = stage;

    public required Server Listener { get; init; }

    /// <summary>What it has accepted.</summary>
    public List<RecordingProtocol> Served { get; } = [];

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)Listener.EndPoints[0];

    public IPAddress Address => EndPoint.Address;

    public int Port => EndPoint.Port;

    public static async Task<DialTarget> ListenAsync(KernelStage stage)
    {
        DialTarget? target = null;
        var listener = await stage.Loop.CreateServerAsync(
            () =>
            {
                var protocol = stage.Watch(RecordingProtocol.Echo());
                target!.Served.Add(protocol);
                return protocol;
            },
            stage.CreateListenAddress());
        return target = new DialTarget(stage) { Listener = listener };
    }

    public IPAddress Refusing() => _stage.CreateRefusingAddress(Port);

    public IPAddress Silent() => _stage.CreateSilentAddress(Port);

    /// <summary>Connects to the port at a host, or at these addresses under a name.</summary>
    public Task<(ITransport Transport, RecordingProtocol Protocol)> ConnectAsync(
        ConnectionOptions? options = null, CancellationToken cancellationToken = default, params IPAddress[] addresses)
    {
        _stage.Names.Add("target.test", addresses.Length > 0 ? addresses : [Address]);
        return _stage.Loop.CreateConnectionAsync(() => _stage.Watch(new RecordingProtocol()), "target.test", Port, options, cancellationToken);
    }

    /// <summary>Ends a connection and the listener.</summary>
    public async Task CloseAsync(ITransport? transport = null, RecordingProtocol? client = null)
    {
        transport?.Close();
        if (client is not null) await client.Lost;
        Listener.Close();
        await Listener.WaitClosedAsync();
    }
}
