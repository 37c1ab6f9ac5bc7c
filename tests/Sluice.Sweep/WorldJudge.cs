using Sluice.Sweep.Streams;
using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Datagrams;
using Sluice.Testing.Kernel.Processes;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep;

/// <summary>Judges what no single end can see: descriptors, liveness, idleness, and that nothing is left. Owned by its world.</summary>
internal sealed class WorldJudge(World world)
{
    // Longer than a graceful close lingers, a listener rests, or a connect waits before it tries again.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    /// <summary>What was lost is sent again after waits that double: the last of it arrives long after calm has come.</summary>
    private static readonly TimeSpan Retransmitting = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(10);

    private readonly HashSet<int> _numbers = [];

    private SimulatedNetwork Network => world.Simulation.Network;

    public void AfterPass(SimulatedHost host)
    {
        foreach (var end in world.Ends)
        {
            if (end.Host == host) end.Model.VerifyAfterPass();
        }

        world.Datagrams.VerifyAfterPass(host);
        world.Plumbing.AfterPass(host);
        world.Children.AfterPass(host);
        VerifyDescriptors();
        if (Network.Violations.Count > 0) world.Broken(Invariant.Seam, Network.Violations[0]);
        if (world.FirstBroken is not null) throw new InvalidOperationException($"{world.FirstBroken}: {world.Breach}");
    }

    /// <summary>Chaos is over: what is open delivers what was written, what closes comes to its end, every await completes.</summary>
    public async Task VerifyCalmAsync()
    {
        await UntilAsync(
            () => world.Ends.TrueForAll(IsAtRest) && world.Plumbing.Restless() is null && world.Children.Restless() is null
                && world.Turmoil.OpenAwaits() is null && world.Datagrams.Restless() is null,
            Describe);
        if (!world.Plan.ChecksIdle) return;
        await world.Turmoil.Delay(world.Plan.LosesPackets ? Retransmitting : Settling);
        var before = Passes();
        await world.Turmoil.Delay(IdleTime);
        if (Passes() - before > 2) world.Broken(Invariant.Idle, $"{Passes() - before} passes in {IdleTime} in which nothing happened");
    }

    /// <summary>All ends have been closed: all are lost soon, and then the kernels hold nothing.</summary>
    public async Task VerifyClosedAsync()
    {
        await UntilAsync(
            () => !world.Ends.Exists(end => end.IsLive) && world.Plumbing.Open() is null && world.Children.Open() is null && world.Children.Running() is null
                && world.Turmoil.OpenAwaits() is null && world.Datagrams.Alive() is null,
            Describe);
        await world.Turmoil.Delay(Settling);
        VerifyNothingIsLeft();
    }

    /// <summary>All loops have ended, in order or in the middle of everything.</summary>
    public void VerifyOver()
    {
        if (world.FirstBroken is not null) return;
        foreach (var end in world.Ends)
        {
            if (end.IsLive) end.Broken(Invariant.Lifecycle, "the loop has ended, and the connection was not lost");
            if (end.Model.IsSendingFile && !end.IsCrashed) end.Broken(Invariant.Liveness, "the loop has ended, and a file is still being sent");
        }

        foreach (var host in world.Simulation.Hosts) world.Datagrams.VerifyLost(host);
        if (world.Plumbing.Open() is { } pipe) world.Broken(Invariant.Lifecycle, $"the loops have ended, and {pipe} was not lost");
        if (world.Children.Open() is { } child) world.Broken(Invariant.Lifecycle, $"the loops have ended, and {child} was not lost");
        if (world.Turmoil.OpenAwaits() is { } open) world.Broken(Invariant.Liveness, $"the loops have ended, and {open} is not done");
        VerifyNothingIsLeft();
    }

    private static bool IsAtRest(End end)
    {
        if (!end.IsLive) return true;
        var other = end.Model.Kernel!.Peer;
        var peer = end.World.EndOf(other);
        // Nobody tells of a crash, and a reset that is lost is not sent again.
        var isAlone = peer is not { IsLive: true };
        var isForsaken = isAlone && (other.IsVanished || (other.IsGone && end.World.Plan.LosesPackets));
        if (end.IsUpgrading) return isForsaken;
        if (end.Model.IsSendingFile || end.Transport!.IsClosing || end.Transport.WriteBufferSize > 0) return false;
        if (isAlone) return end.HasEnded || isForsaken;
        return end.Model.Received == peer!.Model.Written && (!peer.Model.HasWrittenEof || end.HasEnded);
    }

    private async Task UntilAsync(Func<bool> condition, Func<string> describe)
    {
        var end = world.Simulation.Time + Patience;
        for (var step = TimeSpan.FromMilliseconds(1); !condition(); step *= 1.5)
        {
            if (world.Simulation.Time > end)
            {
                world.Broken(Invariant.Liveness, $"after {Patience} of calm: {describe()}");
                return;
            }

            await world.Turmoil.Delay(step);
        }
    }

    private string Describe()
    {
        var restless = world.Ends.Where(end => !IsAtRest(end)).Select(end =>
            $"end {end.Number} ({end.Transport}): received {end.Model.Received}, buffered {end.Transport!.WriteBufferSize}{(end.Model.IsSendingFile ? ", a file under way" : "")}");
        return string.Join("; ", restless
            .Append(world.Plumbing.Restless() ?? world.Plumbing.Open() ?? "every pipe is at rest")
            .Append(world.Children.Restless() ?? world.Children.Open() ?? world.Children.Running() ?? "all children are at rest")
            .Append(world.Turmoil.OpenAwaits() ?? "every await is done")
            .Append(world.Datagrams.Restless() ?? world.Datagrams.Alive() ?? "all endpoints are at rest"));
    }

    private long Passes() => world.Simulation.Hosts.Sum(host => host.Loop.Core.Passes);

    /// <summary>Every open socket has one owner: a channel that is open or lingers, a backlog, a connect, a handle, a process.</summary>
    private void VerifyDescriptors()
    {
        var owned = world.Turmoil.LooseHandles + world.Plumbing.LooseHandles + world.Children.HeldSockets();
        var datagrams = world.Datagrams.LooseHandles;
        foreach (var host in world.Simulation.Hosts)
        {
            if (!host.IsRunning) continue;
            var attached = 0;
            foreach (var source in host.Backend.Sources)
            {
                switch (source)
                {
                    case SimulatedStreamChannel channel:
                        if (!channel.Kernel.IsGone) owned++;
                        if (channel.IsAttached) attached++;
                        break;
                    case SimulatedDatagramChannel channel:
                        if (!channel.Kernel.IsGone) datagrams++;
                        if (channel.IsAttached) attached++;
                        break;
                    case SimulatedPipeChannel pipe:
                        if (pipe.Handle != -1) owned++;
                        if (pipe.IsAttached) attached++;
                        break;
                    case SimulatedChild:
                        attached++;
                        break;
                    case SimulatedListenChannel listener:
                        owned += listener.Waiting;
                        break;
                    case SimulatedConnect { Held: { IsGone: false } }:
                        owned++;
                        break;
                }
            }

            // Over TLS there is a second transport, whose channel is no kernel's.
            var open = host.Loop.Core.OpenChannels;
            if (!host.Loop.IsClosed && (world.Plan.Tls is null ? attached != open : attached > open))
            {
                world.Broken(Invariant.Descriptors, $"{attached} transports hold channels and the loop counts {host.Loop.Core.OpenChannels}");
            }
        }

        if (owned != Network.OpenSockets.Count)
        {
            world.Broken(Invariant.Descriptors, $"{Network.OpenSockets.Count} sockets are open and {owned} are owned");
        }

        if (datagrams != Network.OpenDatagrams.Count)
        {
            world.Broken(Invariant.Descriptors, $"{Network.OpenDatagrams.Count} datagram sockets are open and {datagrams} are owned");
        }

        _numbers.Clear();
        foreach (var socket in Network.OpenDatagrams) _numbers.Add(socket.Number);
        foreach (var socket in Network.OpenSockets)
        {
            if (!_numbers.Add(socket.Number)) world.Broken(Invariant.Stale, $"two open sockets have the number {socket.Number}");
        }
    }

    private void VerifyNothingIsLeft()
    {
        if (Network.OpenSockets.Count > 0)
        {
            world.Broken(Invariant.Descriptors, $"never closed: {string.Join("; ", Network.OpenSockets)}");
        }

        if (Network.OpenDatagrams.Count > 0)
        {
            world.Broken(Invariant.Descriptors, $"never closed: {string.Join("; ", Network.OpenDatagrams)}");
        }

        foreach (var host in world.Simulation.Hosts)
        {
            // A loop that has ended leaves the last of them to the kernel.
            if (host.IsRunning && !host.Loop.IsClosed && host.Loop.Core.OpenChannels != 0) world.Broken(Invariant.Descriptors, $"{host.Loop.Core.OpenChannels} channels were never given back");
        }

        foreach (var end in world.Ends)
        {
            if (end is { IsLost: true, IsCrashed: false } && end.Transport!.GetExtraInfo(ExtraInfo.Socket) is { Handle: not -1 }) end.Broken(Invariant.Stale, "a closed transport still names a descriptor");
        }
    }
}
