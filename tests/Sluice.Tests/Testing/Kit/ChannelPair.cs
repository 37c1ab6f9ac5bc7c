using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Primitives;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Tests.Testing.Kit;

/// <summary>Two connected channels on one simulated backend without a loop, whose Poll moves the clock.</summary>
internal sealed class ChannelPair : IConnectSink, IListenSink
{
    public ChannelPair(SimulationOptions? options = null, int seed = 1, bool isUnix = false)
    {
        Network = new SimulatedNetwork(seed, options ?? SimulationOptions.Faithful);
        Backend = new SimulatedBackend(Network, "host", new IPAddress([10, 0, 0, 1]));
        EndPoint address = isUnix
            ? new UnixDomainSocketEndPoint("/socket")
            : new IPEndPoint(IPAddress.Loopback, 80);
        var listener = Backend.Listen(address, ServerOptions.Default, this);
        listener.StartAccepting();
        Backend.Connect(null, address, ConnectionOptions.Default, this);
        while (Client is null || Server is null) Backend.Poll(TimeSpan.FromSeconds(1));
        listener.Close();
    }

    public SimulatedNetwork Network { get; }

    public SimulatedBackend Backend { get; }

    public StreamChannel Client { get; private set; } = null!;

    public StreamChannel Server { get; private set; } = null!;

    public RecordingSink ClientSink { get; } = new();

    public RecordingSink ServerSink { get; } = new();

    /// <summary>Polls for a while of virtual time.</summary>
    public void PollFor(TimeSpan time)
    {
        for (var end = Network.Clock.Now + time; Network.Clock.Now < end;) Backend.Poll(end - Network.Clock.Now);
        while (Backend.Poll(TimeSpan.Zero))
        {
        }
    }

    public void OnConnected(StreamChannel channel) => (Client = channel).Attach(ClientSink);

    public void OnConnectFailed(ConnectStep step, IoError reason) => throw reason.ToException();

    public void OnAccepted(StreamChannel channel) => (Server = channel).Attach(ServerSink);

    public void OnAcceptFailed(IoError reason) => throw reason.ToException();
}
