using System.Net;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>A TLS server of ours on a loop, and the protocols that it made. Owned by its test.</summary>
internal sealed class Served
{
    private readonly Func<RecordingProtocol> _factory;
    private readonly Queue<TaskCompletionSource<RecordingProtocol>> _waiting = [];

    private Served(Func<RecordingProtocol> factory) => _factory = factory;

    public Server Server { get; private set; } = null!;

    public EndPoint EndPoint => Server.EndPoints[0];

    public int Port => ((IPEndPoint)EndPoint).Port;

    /// <summary>The protocols that heard of a connection, in that order.</summary>
    public List<RecordingProtocol> Protocols { get; } = [];

    public static async Task<Served> StartAsync(EventLoop loop, TlsServerOptions tls, Func<RecordingProtocol>? factory = null, EndPoint? address = null)
    {
        var served = new Served(factory ?? RecordingProtocol.Echo);
        served.Server = await loop.CreateServerAsync(served.Create, address ?? new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = tls });
        return served;
    }

    /// <summary>The next protocol whose connection is made.</summary>
    public Task<RecordingProtocol> NextAsync()
    {
        var next = new TaskCompletionSource<RecordingProtocol>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Enqueue(next);
        return next.Task;
    }

    /// <summary>Ends the server once all its connections are lost, and verifies that none saw anything that it should not.</summary>
    public async Task EndAsync()
    {
        Server.Close();
        await Server.WaitClosedAsync();
        foreach (var protocol in Protocols)
        {
            await protocol.Lost;
            Assert.Empty(protocol.Violations);
        }
    }

    private RecordingProtocol Create()
    {
        var protocol = _factory();
        var made = protocol.OnMade;
        protocol.OnMade = transport =>
        {
            Protocols.Add(protocol);
            if (_waiting.TryDequeue(out var waiting)) waiting.SetResult(protocol);
            made?.Invoke(transport);
        };
        return protocol;
    }
}
