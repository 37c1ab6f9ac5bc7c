using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Datagrams;

namespace Sluice.Sweep.Endpoints;

/// <summary>The datagram endpoints of a world, what befalls them, and what only all of them together show. Owned by the world; acts on the first host's loop.</summary>
internal sealed class Datagrams(World world, DatagramPlan plan, KernelDice dice)
{
    private const int MostEndpoints = 12;
    private const int FirstPort = 5000;
    private static readonly int[] SendErrors = [1, 11, 101, 105, 111];
    private static readonly int[] ReceiveErrors = [11, 103, 111, 113];

    private readonly List<Endpoint> _endpoints = [];
    private readonly List<(Endpoint Endpoint, Task Task)> _openings = [];
    private readonly List<SimulatedDatagramHandle> _handles = [];
    private readonly HashSet<Endpoint> _paired = [];

    public DatagramPlan Plan => plan;

    /// <summary>Sockets in handles that no transport holds.</summary>
    public int LooseHandles => _handles.Count(static handle => handle.Socket is not null);

    private IReadOnlyList<SimulatedHost> Hosts => world.Simulation.Hosts;

    public void Begin()
    {
        if (plan.Endpoints == 0) return;
        for (var i = 0; i < plan.Endpoints; i++) Open();
        NextAct();
    }

    public bool IsPaired(Endpoint endpoint) => _paired.Contains(endpoint);

    /// <summary>An address to send to: of an endpoint, alive or gone, or of nobody. Null where the family has none there.</summary>
    public EndPoint? DrawReceiver(Endpoint sender)
    {
        if (IsPaired(sender)) return null;
        var isUnix = sender.Address is UnixDomainSocketEndPoint;
        return DrawAddress(sender.Host, isUnix) ?? (isUnix ? new UnixDomainSocketEndPoint("/world/nobody") : new IPEndPoint(sender.Host.Address, 9));
    }

    /// <summary>What an endpoint has got is what the sender has sent to it.</summary>
    public void Judge(Endpoint receiver, ReadOnlySpan<byte> data, EndPoint? address)
    {
        var number = DatagramLedger.NumberOf(data).Number;
        var sender = address is not null ? _endpoints.FindLast(other => address.Equals(other.Address))
            : number >= 0 && number < _endpoints.Count ? _endpoints[number] : null;
        if (sender is null)
        {
            if (address is not null || number >= 0) receiver.Broken(Invariant.Datagrams, $"{data.Length} bytes came from {address}, which is nobody's");
            return;
        }

        var options = world.Simulation.Network.Options;
        var breach = sender.Ledger.Judge(receiver, data, options.DatagramDuplication > 0, options.DatagramReordering > 0 || sender.HasSentInside);
        if (breach is not null) receiver.Broken(Invariant.Datagrams, breach);
    }

    public void CalmDown()
    {
        foreach (var host in Hosts) host.Faults.UnblockSends();
    }

    public void CloseAll()
    {
        foreach (var endpoint in _endpoints)
        {
            if (!endpoint.Host.Loop.IsClosed) endpoint.Host.Loop.CallSoonThreadSafe(endpoint.Close);
        }

        foreach (var handle in _handles) handle.Dispose();
    }

    public void VerifyAfterPass(SimulatedHost host)
    {
        foreach (var endpoint in _endpoints)
        {
            if (endpoint.Host == host) endpoint.Verify();
        }
    }

    /// <summary>What is not at rest though the world is calm, or null.</summary>
    public string? Restless()
    {
        foreach (var (endpoint, task) in _openings)
        {
            if (!task.IsCompleted) return $"the opening of endpoint {endpoint.Number}";
            if (task.IsCompletedSuccessfully != endpoint.IsMade) endpoint.Broken(Invariant.Lifecycle, $"its opening is {task.Status}, and IsMade is {endpoint.IsMade}");
            if (task.Exception?.InnerException is { } exception and not (SocketException or ObjectDisposedException)) endpoint.Broken(Invariant.Seam, $"its opening failed with {exception}");
        }

        return _endpoints.Find(static endpoint => !endpoint.IsAtRest && endpoint.Transport is not { IsClosing: true, WriteBufferSize: 0 }) is { } restless
            ? $"endpoint {restless.Number} ({restless.Transport}), of which {restless.Transport!.WriteBufferSize} bytes wait" : null;
    }

    public string? Alive() => _endpoints.Find(static endpoint => endpoint.IsLive) is { } alive ? $"endpoint {alive.Number} is not lost" : null;

    /// <summary>A loop has ended: its endpoints are lost.</summary>
    public void VerifyLost(SimulatedHost host)
    {
        foreach (var endpoint in _endpoints)
        {
            if (endpoint.Host == host && endpoint.IsLive) endpoint.Broken(Invariant.Lifecycle, "the loop has ended, and the endpoint was not lost");
        }
    }

    private void NextAct() => Hosts[0].Loop.CallLater(TimeSpan.FromTicks(1) + dice.Part(world.Plan.ChaosTime / 8), Act);

    private void Act()
    {
        if (world.IsCalm) return;
        NextAct();
        if (plan.HasFaults) Fail(Hosts[dice.Below(Hosts.Count)].Faults);
        if (plan.HasLateOnes && dice.Chance(0.3) && _endpoints.Count < MostEndpoints) Open();
    }

    private void Fail(HostFaults faults)
    {
        switch (dice.Below(4))
        {
            case 0:
                world.Note(Happening.FailWrite, 1);
                faults.FailNextSend(SendErrors[dice.Below(SendErrors.Length)]);
                break;
            case 1:
                world.Note(Happening.FailRead, 1);
                faults.FailNextReceive(ReceiveErrors[dice.Below(ReceiveErrors.Length)]);
                break;
            case 2:
                world.Note(Happening.Stall, 1);
                faults.BlockSends();
                break;
            default:
                world.Note(Happening.Release, 1);
                faults.UnblockSends();
                break;
        }
    }

    private void Open()
    {
        var host = Hosts[dice.Below(Hosts.Count)];
        if (host.Loop.IsClosed) return;
        world.Note(Happening.OpenEndpoint, _endpoints.Count);
        switch (dice.Below(5))
        {
            case 0 when DrawAddress(host, isUnix: false) is { } peer:
                Open(host, null, peer);
                break;
            case 1:
                Open(host, PathOf(_endpoints.Count), null);
                break;
            case 2 when DrawAddress(host, isUnix: true) is { } path:
                Open(host, dice.Chance(0.5) ? PathOf(_endpoints.Count) : null, path);
                break;
            case 3:
                AdoptPair(host);
                break;
            default:
                Open(host, new IPEndPoint(host.Address, FirstPort + _endpoints.Count), null);
                break;
        }
    }

    private static UnixDomainSocketEndPoint PathOf(int number) => new($"/world/datagrams/{number}");

    private EndPoint? DrawAddress(SimulatedHost host, bool isUnix)
    {
        var found = _endpoints.Where(endpoint => isUnix ? endpoint.Host == host && endpoint.Address is UnixDomainSocketEndPoint : endpoint.Address is IPEndPoint).ToArray();
        return found.Length == 0 ? null : found[dice.Below(found.Length)].Address;
    }

    private void Open(SimulatedHost host, EndPoint? local, EndPoint? remote) =>
        Begin(host, remote, (factory, options) => host.Loop.CreateDatagramEndpointAsync(factory, local, remote, options));

    private void AdoptPair(SimulatedHost host)
    {
        var (first, second) = host.CreateDatagramPair();
        foreach (var handle in (SafeHandle[])[first, second])
        {
            _handles.Add((SimulatedDatagramHandle)handle);
            Begin(host, null, (factory, options) => host.Loop.AdoptDatagramAsync(factory, handle, options), isPaired: true);
        }
    }

    private void Begin(
        SimulatedHost host,
        EndPoint? peer,
        Func<Func<ChaosDatagramProtocol>, DatagramOptions, Task<(IDatagramTransport Transport, ChaosDatagramProtocol Protocol)>> begin,
        bool isPaired = false)
    {
        var endpoint = new Endpoint(world, host, _endpoints.Count, peer, world.DiceOfEndpoint(_endpoints.Count));
        _endpoints.Add(endpoint);
        if (isPaired) _paired.Add(endpoint);
        _openings.Add((endpoint, begin(() => new ChaosDatagramProtocol(endpoint), new DatagramOptions { MaxWriteBufferSize = plan.Cap })));
    }
}
