using System.Net;

namespace Sluice.Testing.Checks;

/// <summary>A server whose protocols are recorded, and the way to it. Shared by the checks of serving and draining.</summary>
internal sealed class Reception
{
    private readonly KernelStage _stage;

    private Reception(KernelStage stage) => _stage = stage;

    public Server Server { get; private set; } = null!;

    /// <summary>The protocols of its connections, in the order in which they were accepted.</summary>
    public List<RecordingProtocol> Served { get; } = [];

    /// <summary>What <see cref="Server.ServeForeverAsync"/> and methods like it throw when they are asked to end.</summary>
    public static Task<OperationCanceledException> CancelledAsync(Task serving) => Check.ThrowsAsync<OperationCanceledException>(() => serving);

    public static async Task<Reception> OpenAsync(KernelStage stage, Func<RecordingProtocol>? protocol = null, ServerOptions? options = null)
    {
        var reception = new Reception(stage);
        reception.Server = await stage.Loop.CreateServerAsync(() => reception.Receive(protocol), stage.CreateListenAddress(), options);
        return reception;
    }

    /// <summary>Connects a client, and waits until both ends are made and read.</summary>
    public async Task<StreamPair> ConnectAsync(RecordingProtocol? protocol = null)
    {
        var number = Served.Count;
        var (transport, client) = await _stage.Loop.CreateConnectionAsync(() => _stage.Watch(protocol ?? new RecordingProtocol()), Server.EndPoints[0]);
        await _stage.UntilAsync(() => Served.Count > number);
        await Served[number].Made;
        await _stage.PassesAsync(2);
        return new StreamPair(transport, client, Served[number].Transport, Served[number]);
    }

    /// <summary>Begins a connect that may come too late.</summary>
    public Task<(ITransport Transport, RecordingProtocol Protocol)> DialAsync(EndPoint address) =>
        _stage.Loop.CreateConnectionAsync(() => _stage.Watch(new RecordingProtocol()), address);

    private RecordingProtocol Receive(Func<RecordingProtocol>? protocol)
    {
        Served.Add(_stage.Watch(protocol?.Invoke() ?? new RecordingProtocol()));
        return Served[^1];
    }
}
