using System.Net;
using Sluice.Sweep.Streams;
using Sluice.Sweep.Tls;
using Sluice.Testing;

namespace Sluice.Sweep;

/// <summary>A server of a world, the ends that it has accepted, and what befalls it. Owned by the world's turmoil.</summary>
/// <param name="world">The world.</param>
/// <param name="host">Where it listens.</param>
/// <param name="address">At which address.</param>
/// <param name="number">Tells the servers of a world apart.</param>
/// <param name="security">Whether it serves TLS.</param>
/// <param name="awaits">Takes what must be done in the end.</param>
internal sealed class Site(World world, SimulatedHost host, EndPoint address, int number, Security security, Awaits awaits)
{
    private bool _drainCuts;

    public SimulatedHost Host => host;

    public EndPoint Address => address;

    public int Number => number;

    public Security Security => security;

    public Task<Server>? Serving { get; set; }

    /// <summary>Once it is open.</summary>
    public Server? Server => Serving is { IsCompletedSuccessfully: true } ? Serving.Result : null;

    public List<End> Ends { get; } = [];

    /// <summary>It has accepted a connection. One that waited in the backlog at a drain is cut with the others.</summary>
    public void Add(End end)
    {
        Ends.Add(end);
        if (_drainCuts) end.Model.AskedToEnd = end.Model.WasAborted = true;
    }

    /// <summary>Something befalls its server. On its host's loop.</summary>
    public void Act(Server server, ServerAct act)
    {
        switch (act)
        {
            case ServerAct.Close:
                server.Close();
                break;
            case ServerAct.CloseClients:
                foreach (var end in Ends) end.Model.AskedToEnd = true;
                server.CloseClients();
                break;
            case ServerAct.AbortClients:
                foreach (var end in Ends) end.Model.AskedToEnd = end.Model.WasAborted = true;
                server.AbortClients();
                break;
            case ServerAct.Dispose:
                awaits.Add("DisposeAsync", host.Loop, server.DisposeAsync().AsTask());
                break;
            case ServerAct.Drain:
                Drain(server);
                break;
            case ServerAct.ServeForever:
                awaits.Add("ServeForeverAsync", host.Loop, server.ServeForeverAsync());
                break;
            case ServerAct.WaitClosed:
                awaits.Add("WaitClosedAsync", host.Loop, server.WaitClosedAsync());
                break;
            case ServerAct.StartServing:
                awaits.Add("StartServingAsync", host.Loop, server.StartServingAsync());
                break;
        }
    }

    private void Drain(Server server)
    {
        var deadline = world.Dice.Below(3) switch
        {
            0 => TimeSpan.Zero,
            1 => Timeout.InfiniteTimeSpan,
            _ => TimeSpan.FromTicks(1) + world.Dice.Part(world.Plan.ChaosTime),
        };
        _drainCuts |= deadline != Timeout.InfiniteTimeSpan;
        foreach (var end in Ends)
        {
            if (_drainCuts) end.Model.AskedToEnd = end.Model.WasAborted = true;
        }

        awaits.Add("DrainAsync", host.Loop, server.DrainAsync(deadline));
    }
}
