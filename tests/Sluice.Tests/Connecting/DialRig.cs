using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sluice.Testing;

namespace Sluice.Tests.Connecting;

/// <summary>A client, a server that listens at both of its addresses, and a record of when the client began to connect to what.</summary>
internal sealed class DialRig : IDisposable
{
    public const int Port = 80;

    public static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(10);

    private readonly TimeSpan[] _origin = [TimeSpan.Zero];

    public DialRig()
    {
        Simulation = new Simulation(seed: 1, SimulationOptions.Faithful with { Latency = RoundTrip / 2 });
        Client = Simulation.AddHost("client");
        Server = Simulation.AddHost("server");
        Client.Connecting = address =>
        {
            if (Starts.Count == 0) _origin[0] = Simulation.Time;
            Starts.Add(string.Create(CultureInfo.InvariantCulture, $"{((IPEndPoint)address).Address} {(Simulation.Time - _origin[0]).TotalMilliseconds} ms"));
        };
        foreach (var address in (IPAddress[])[Server.Address, Server.AddressV6])
        {
            Simulation.Run(Server, loop => loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(address, Port)));
        }
    }

    public Simulation Simulation { get; }

    public SimulatedHost Client { get; }

    public SimulatedHost Server { get; }

    /// <summary>Each attempt with its time since the first.</summary>
    public List<string> Starts { get; } = [];

    /// <summary>An address that never answers.</summary>
    public IPAddress Silent(string address)
    {
        var silent = IPAddress.Parse(address);
        Simulation.MakeSilent(silent);
        return silent;
    }

    /// <summary>Connects to these addresses and says to which, or why not; then lets an hour pass in which nothing may happen any more.</summary>
    public string Connect(ConnectionOptions options, params IPAddress[] addresses)
    {
        Simulation.AddName("target", addresses);
        Starts.Clear();
        var outcome = string.Empty;
        Simulation.Run(Client, async loop =>
        {
            try
            {
                var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "target", Port, options);
                outcome = ((IPEndPoint)transport.GetExtraInfo(ExtraInfo.PeerName)!).Address.ToString();
                transport.Close();
                await protocol.Lost;
            }
            catch (SocketException failure)
            {
                outcome = failure.Message;
            }

            Assert.DoesNotContain("connect", Client.Backend.Machine.DescribeWaits(), StringComparison.Ordinal);
            await Task.Delay(TimeSpan.FromHours(1), loop.TimeProvider);
        });
        Assert.Empty(Simulation.Network.OpenSockets);
        return outcome;
    }

    public void Dispose() => Simulation.Dispose();
}
