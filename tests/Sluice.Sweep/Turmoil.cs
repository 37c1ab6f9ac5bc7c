using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using Sluice.Sweep.Streams;
using Sluice.Sweep.Tls;
using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep;

/// <summary>
/// What befalls a world besides its connections: servers open and close, connects are begun and cancelled, kernels fail, loops end. Owned by its world;
/// runs on the first host's loop.
/// </summary>
internal sealed class Turmoil(World world)
{
    private static readonly int[] StreamErrors = [104, 110, 113];
    private static readonly int[] AcceptErrors = [103, 24, 12, 105];
    private static readonly int[] ConnectErrors = [111, 110, 113];
    private static readonly ServerAct[] ServerActs = Enum.GetValues<ServerAct>();

    private readonly KernelDice _dice = world.Dice;
    private readonly List<Site> _sites = [];
    private readonly List<SimulatedSocketHandle> _handles = [];
    private readonly List<(End End, Task Task)> _connects = [];
    private readonly Awaits _awaits = new();
    private Outages? _outages;
    private int _served;
    private int _connections;
    private bool _isClosing;

    private Outages Outages => _outages ??= new Outages(world, _awaits, _sites);

    private SimulatedHost Home => world.Simulation.Hosts[0];

    private WorldPlan Plan => world.Plan;

    /// <summary>Handles of sockets that no transport holds yet.</summary>
    public int LooseHandles
    {
        get
        {
            var count = 0;
            foreach (var handle in _handles)
            {
                if (handle.HoldsSocket) count++;
            }

            return count;
        }
    }

    public Task Delay(TimeSpan time)
    {
        var over = Home.Loop.CreateFuture();
        Home.Loop.CallLater(time, static over => ((TaskCompletionSource)over!).TrySetResult(), over);
        return over.Task;
    }

    /// <summary>Something that must be done in the end, unless its host crashes.</summary>
    public void Await(string what, EventLoop loop, Task task) => _awaits.Add(what, loop, task);

    public async Task BeginAsync()
    {
        var servers = Plan.IsIsolated ? Plan.Connections : 1 + _dice.Below(3);
        for (var i = 0; i < servers; i++) await Serve(Plan.IsIsolated || _dice.Chance(0.9));
        for (var i = 0; i < Plan.Connections; i++) Connect();
        NextAct();
    }

    /// <summary>No more faults; what was held back goes on; everybody reads.</summary>
    public void CalmDown()
    {
        Outages.CalmDown();
        foreach (var host in world.Simulation.Hosts)
        {
            host.Faults.Clear();
            host.Faults.ReleaseLinks();
        }

        foreach (var end in world.Ends)
        {
            if (!end.IsLive) continue;
            On(end.Host, () =>
            {
                if (end.IsUpgrading || !end.IsLive) return;
                end.Model.WantReading(true);
                end.Transport!.ResumeReading();
            });
        }
    }

    public async Task CloseAllAsync()
    {
        _isClosing = true;
        var serversFirst = _dice.Chance(0.5);
        if (serversFirst) CloseServers();
        foreach (var end in world.Ends)
        {
            if (end.IsLive) On(end.Host, () => Close(end));
        }

        if (!serversFirst) CloseServers();
        foreach (var handle in _handles) handle.Dispose();
        await Delay(TimeSpan.FromTicks(1));
    }

    /// <summary>The first thing awaited that is not done, or null. Servers are waited for only once they are closed.</summary>
    public string? OpenAwaits()
    {
        foreach (var (end, task) in _connects)
        {
            if (end.IsCrashed) continue;
            if (!task.IsCompleted) return $"the connect of end {end.Number}";
            if (task.IsCompletedSuccessfully != end.IsMade) end.Broken(Invariant.Lifecycle, $"its connect is {task.Status}, and IsMade is {end.IsMade}");
            if (task.Exception?.InnerException is { } exception and not (SocketException or ChaosException or InvalidOperationException)
                && !(end.Security == Security.Tls && exception is AuthenticationException or IOException))
            {
                end.Broken(Invariant.Seam, $"its connect failed with {exception}");
            }
        }

        if (!_isClosing && !Home.Loop.IsClosed) return null;
        return _awaits.Open();
    }

    /// <summary>Calls something on a host's loop, unless that has ended.</summary>
    private static void On(SimulatedHost host, Action action)
    {
        if (IsUp(host)) host.Loop.CallSoonThreadSafe(action);
    }

    private static bool IsUp(SimulatedHost host) => host.IsRunning && !host.Loop.IsClosed;

    private void NextAct() => Home.Loop.CallLater(TimeSpan.FromTicks(1) + _dice.Part(Plan.ChaosTime / 8), Act);

    private void Act()
    {
        if (world.IsCalm) return;
        NextAct();
        if (Plan.IsIsolated)
        {
            if (world.Misbehaves && world.Ends[0].IsLive && _dice.Chance(0.1)) Break(world.Ends[0].Model.Kernel!);
            return;
        }

        if (Plan.HasFaults && _dice.Chance(0.7)) Fail(Draw(world.Simulation.Hosts));
        if (Plan.HasServerActs && _dice.Chance(0.4) && _sites.Count > 0) ActOn(Draw(_sites));
        if (Plan.HasServerActs && _dice.Chance(0.1)) Serve(true);
        Outages.Act();
        if (Plan.HasLateConnects && _dice.Chance(0.4) && world.Ends.Count < 24) Connect();
        if (Plan.EndsLoops && _dice.Chance(0.2)) EndLoop(world.Simulation.Hosts[1 + _dice.Below(Plan.Hosts - 1)]);
    }

    private T Draw<T>(IReadOnlyList<T> among) => among[_dice.Below(among.Count)];

    private void Break(SimulatedSocket socket)
    {
        world.Note(Happening.Reset, 0);
        socket.TakeReset();
        socket.Outgoing.SendReset();
    }

    private void Fail(SimulatedHost host)
    {
        if (!IsUp(host)) return;
        var faults = host.Faults;
        switch (_dice.Below(8))
        {
            case 0:
                world.Note(Happening.FailRead, 0);
                faults.FailNextRead(Draw(StreamErrors));
                break;
            case 1:
                world.Note(Happening.FailWrite, 0);
                faults.FailNextWrite(Draw(StreamErrors));
                break;
            case 2:
                world.Note(Happening.FailAccept, 0);
                faults.FailNextAccept(Draw(AcceptErrors));
                break;
            case 3:
                world.Note(Happening.FailConnect, 0);
                faults.FailNextConnect(Draw(ConnectErrors));
                break;
            case 4 when _dice.Chance(0.3):
                world.Note(Happening.Reset, 0);
                faults.ResetConnections();
                break;
            case 5:
                world.Note(Happening.Stall, 0);
                faults.StallLinks();
                break;
            default:
                world.Note(Happening.Release, 0);
                faults.ReleaseLinks();
                break;
        }
    }

    private void EndLoop(SimulatedHost host)
    {
        if (host.Loop.IsClosed) return;
        world.Note(Happening.EndLoop, 0);
        foreach (var end in world.Ends)
        {
            if (end.Host == host) end.Model.AskedToEnd = end.Model.WasAborted = true;
        }

        world.Plumbing.EndLoop(host);
        world.Children.EndLoop(host);
        host.Loop.Dispose();
        foreach (var end in world.Ends)
        {
            if (end.Host == host && end.IsLive) end.Broken(Invariant.Lifecycle, "the loop has ended, and the connection was not lost");
        }

        world.Datagrams.VerifyLost(host);
    }

    // No async method: the loop that it would go on on may have ended.
    private Task Serve(bool starts)
    {
        var connection = _served++;
        var isUnix = _dice.Chance(0.4);
        var host = Plan.IsIsolated ? world.Simulation.Hosts[isUnix ? 0 : 1] : Draw(world.Simulation.Hosts);
        if (!IsUp(host)) return Task.CompletedTask;
        world.Note(Happening.Serve, connection);
        EndPoint address = isUnix ? new UnixDomainSocketEndPoint($"/world/{connection}") : new IPEndPoint(host.Address, 4000 + connection);
        var site = new Site(world, host, address, connection, Plan.Tls?.Draw() ?? Security.None, _awaits);
        _sites.Add(site);
        var options = new ServerOptions { MaxWriteBufferSize = CapOf(site.Security), Tls = site.Security == Security.Tls ? Plan.Tls!.Server : null, Backlog = _dice.Chance(0.2) && !Plan.IsIsolated ? 1 : 100, StartServing = starts };
        site.Serving = host.Loop.CreateServerAsync(() => Accept(site), address, options);
        _awaits.Add("the opening of a server", host.Loop, site.Serving);
        return site.Serving;
    }

    private IProtocol<ITransport> Accept(Site site)
    {
        world.Callbacks++;
        world.Note(Happening.Factory, site.Number);
        MayMisbehave(out var instead, reports: true);
        if (instead is not null) return instead;
        var end = world.MakeEnd(site.Host, Plan.IsIsolated ? site.Number : -1, isServer: true, site.Security);
        site.Add(end);
        return world.MakeProtocol(end);
    }

    /// <summary>A factory throws, or gives a protocol that serves somebody else.</summary>
    private void MayMisbehave(out IProtocol<ITransport>? instead, bool reports)
    {
        instead = null;
        if (!Plan.HasBadFactories || world.IsCalm || !_dice.Chance(0.2)) return;
        world.Note(Happening.Throw, 3);
        if (_dice.Chance(0.5)) instead = world.Ends.Find(end => end.IsLive)?.Transport?.Protocol as IProtocol<ITransport>;
        if (instead is not null) return;
        if (reports) world.WillReport();
        throw new ChaosException(null);
    }

    private void Connect()
    {
        var connection = _connections++;
        if (!Plan.IsIsolated && !Plan.HasCrashes && _dice.Chance(0.15))
        {
            AdoptPair(connection);
            return;
        }

        if (_sites.Count == 0) return;
        var site = Plan.IsIsolated ? _sites[connection] : Draw(_sites);
        var host = site.Address is UnixDomainSocketEndPoint ? site.Host : Plan.IsIsolated ? Home : Draw(world.Simulation.Hosts);
        if (!IsUp(host)) return;
        world.Note(Happening.Connect, site.Number);
        var address = site.Address is IPEndPoint ip && _dice.Chance(0.2) ? new DnsEndPoint(site.Host.Name, ip.Port) : site.Address;
        var cancels = Plan.HasCancels && _dice.Chance(0.4);
        Begin(
            host, connection, isServer: false, site.Security, (factory, options) => host.Loop.CreateConnectionAsync(factory, address, options, cancels ? CancelSoon() : default));
    }

    private CancellationToken CancelSoon()
    {
        var source = new CancellationTokenSource();
        Home.Loop.CallLater(TimeSpan.FromTicks(1) + _dice.Part(2 * (Plan.Kernel.Latency + Plan.Kernel.LatencyJitter)), () =>
        {
            world.Note(Happening.Cancel, 0);
            source.Cancel();
            source.Dispose();
        });
        return source.Token;
    }

    private void AdoptPair(int connection)
    {
        var host = Draw(world.Simulation.Hosts);
        if (host.Loop.IsClosed) return;
        var (first, second) = host.CreateStreamPair();
        _handles.Add((SimulatedSocketHandle)first);
        _handles.Add((SimulatedSocketHandle)second);
        Adopt(host, connection, first, isServer: false);
        if (_dice.Chance(0.9)) Adopt(host, connection, second, isServer: true);
        else second.Dispose();
    }

    private void Adopt(SimulatedHost host, int connection, SafeHandle handle, bool isServer) =>
        Begin(host, connection, isServer, Security.None, (factory, options) => host.Loop.AdoptAsync(factory, handle, options));

    private void Begin(
        SimulatedHost host,
        int connection,
        bool isServer,
        Security security,
        Func<Func<IProtocol<ITransport>>, ConnectionOptions, Task<(ITransport Transport, IProtocol<ITransport> Protocol)>> begin)
    {
        var end = world.MakeEnd(host, connection, isServer, security);
        var task = begin(
            () =>
            {
                MayMisbehave(out var instead, reports: false);
                return instead ?? world.MakeProtocol(end);
            },
            new ConnectionOptions { MaxWriteBufferSize = CapOf(security), Tls = security == Security.Tls ? Plan.Tls!.Client : null });
        _connects.Add((end, task));
    }

    /// <summary>An upgraded transport has the default limit, and so has the one below it here.</summary>
    private int CapOf(Security security) => security == Security.StartTls ? new ConnectionOptions().MaxWriteBufferSize : Plan.Cap;

    private void ActOn(Site site)
    {
        if (site.Server is not { } server) return;
        var act = ServerActs[_dice.Below(ServerActs.Length)];
        world.Note(Happening.ServerAct, (long)act);
        On(site.Host, () => site.Act(server, act));
    }

    private void CloseServers()
    {
        foreach (var site in _sites)
        {
            if (site.Server is not { } server) continue;
            _awaits.Add("WaitClosedAsync", site.Host.Loop, server.WaitClosedAsync());
            On(site.Host, () => _awaits.Add("DisposeAsync", site.Host.Loop, server.DisposeAsync().AsTask()));
        }
    }

    private void Close(End end)
    {
        if (!end.IsLive || end.Transport is not { } transport) return;
        end.Model.AskedToEnd = true;

        // Where connections are compared, how one ends must not hang on how often the world has thrown its own dice for another.
        switch ((Plan.IsIsolated ? end.Dice : _dice).Below(6))
        {
            case 0:
                end.Model.WasAborted = true;
                end.Note(Happening.Abort, 0);
                transport.Abort();
                break;
            case 1 when !end.HasEnded && end.Security == Security.None && world.EndOf(end.Model.Kernel!.Peer) is { IsLive: true }:
                // The peer answers with its own end.
                end.Model.HasWrittenEof |= !transport.IsClosing;
                end.Note(Happening.WriteEof, 0);
                transport.WriteEof();
                break;
            default:
                end.Note(Happening.Close, 0);
                transport.Close();
                break;
        }
    }
}
