using System.Net;
using System.Net.Sockets;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Endpoints;

/// <summary>One datagram endpoint of a world: its protocol's callbacks, judged, and answered with whatever the dice say. Owned by the world's datagrams.</summary>
internal sealed class Endpoint
{
    private readonly World _world;
    private readonly DatagramPlan _plan;
    private readonly DatagramContract _contract;
    private int _depth;
    private int _turns;
    private int _acts;
    private int _sending;

    public Endpoint(World world, SimulatedHost host, int number, EndPoint? peer, KernelDice dice)
    {
        _world = world;
        _plan = world.Datagrams.Plan;
        _turns = _plan.Turns;
        _acts = 3 * _plan.Turns;
        Host = host;
        Number = number;
        Peer = peer;
        Dice = dice;
        Ledger = new DatagramLedger(number);
        _contract = new DatagramContract(OnContractBroken);
    }

    public SimulatedHost Host { get; }

    public int Number { get; }

    /// <summary>The only one that it sends to, or null.</summary>
    public EndPoint? Peer { get; }

    public KernelDice Dice { get; }

    public DatagramLedger Ledger { get; }

    public IDatagramTransport? Transport => _contract.Transport;

    /// <summary>It has sent from inside a send: what it sent inside may have left first.</summary>
    public bool HasSentInside { get; private set; }

    /// <summary>Where it receives, once it is made; null for a Unix socket without a name.</summary>
    public EndPoint? Address => Transport?.GetExtraInfo(ExtraInfo.SocketName);

    public bool IsMade => _contract.IsMade;

    public bool IsLive => IsMade && !_contract.IsLost;

    /// <summary>Nothing waits to be sent, and nobody waits for it.</summary>
    public bool IsAtRest => !IsLive || (Transport is { IsClosing: false, WriteBufferSize: 0 } && !_contract.IsWritingPaused);

    public void OnMade(ChaosDatagramProtocol protocol, IDatagramTransport transport)
    {
        Begin(protocol, Happening.ConnectionMade, 0, transport);
        _contract.ConnectionMade(transport);
        if (Dice.Chance(0.5)) transport.SetWriteBufferLimits(_plan.High);
        Act();
        if (!_world.IsCalm) NextTurn();
    }

    public void OnDatagram(ChaosDatagramProtocol protocol, ReadOnlySpan<byte> data, EndPoint? address)
    {
        Begin(protocol, Happening.DatagramReceived, data.Length);
        _contract.DatagramReceived();
        _world.Datagrams.Judge(this, data, address);
        Act();
    }

    public void OnError(ChaosDatagramProtocol protocol, Exception exception)
    {
        Begin(protocol, Happening.ErrorReceived, exception is SocketException socket ? (long)socket.SocketErrorCode : -1);
        _contract.ErrorReceived();
        if (exception is not (SocketException or WriteBufferLimitException)) Broken(Invariant.Seam, $"it was told of {exception}");
        if (exception is WriteBufferLimitException && _plan.HasRoomForAll && Ledger.MostHeld < _plan.Cap) Broken(Invariant.Bounds, "a datagram was dropped below the limit");
        Act();
    }

    public void OnFlow(ChaosDatagramProtocol protocol, bool pause)
    {
        Begin(protocol, pause ? Happening.PauseWriting : Happening.ResumeWriting, Transport!.WriteBufferSize);
        if (pause) _contract.PauseWriting();
        else _contract.ResumeWriting();
        var (low, high) = Transport.WriteBufferLimits;
        if (pause && Transport.WriteBufferSize <= high) Broken(Invariant.Flow, $"it was paused with {Transport.WriteBufferSize} bytes of {high}");
        if (!pause && Transport.WriteBufferSize > low) Broken(Invariant.Flow, $"it was resumed with {Transport.WriteBufferSize} bytes, the low watermark being {low}");
        Act();
    }

    public void OnLost(ChaosDatagramProtocol protocol, Exception? reason)
    {
        Begin(protocol, Happening.ConnectionLost, 0);
        _contract.ConnectionLost();
        if (reason is not null) Broken(Invariant.Lifecycle, $"it was lost with {reason}");
        if (Transport is { IsClosing: false }) Broken(Invariant.Lifecycle, "it was lost and nobody had closed it");
        Act();
    }

    /// <summary>The loop has ended, or the world closes everything.</summary>
    public void Close()
    {
        if (!IsLive || Transport is not { } transport) return;
        End(transport);
    }

    /// <summary>What was accepted has been given to the kernel, been refused by it, or waits.</summary>
    public void Verify()
    {
        if (!IsMade || Transport is not { } transport) return;
        if (transport.WriteBufferSize > _plan.Cap) Broken(Invariant.Bounds, $"{transport.WriteBufferSize} bytes wait, the limit being {_plan.Cap}");
        if (!_plan.HasRoomForAll || Ledger.Cost >= _plan.Cap) return;

        // What is sent after that may be dropped, or sent still.
        if (transport.IsClosing) return;
        if (transport.GetExtraInfo(ExtraInfo.Socket) is not SimulatedTransportSocket { Datagrams: { } kernel }) return;
        var known = kernel.TakenCost + kernel.RefusedCost + transport.WriteBufferSize;
        if (known != Ledger.Cost) Broken(Invariant.Accounting, $"{Ledger.Cost} were accepted, {kernel.TakenCost} taken, {kernel.RefusedCost} refused, and {transport.WriteBufferSize} wait");
    }

    public void Broken(Invariant invariant, string what) => _world.Broken(invariant, $"endpoint {Number}: {what}");

    private void NextTurn()
    {
        if (--_turns < 0 || Host.Loop.IsClosed || _world.IsCalm) return;
        Host.Loop.CallLater(TimeSpan.FromTicks(1) + Dice.Part(_world.Plan.MostDelay), () =>
        {
            NextTurn();
            if (_world.IsCalm || !IsLive) return;
            Note(Happening.Turn, 0);
            Act(always: true);
        });
    }

    private void Begin(ChaosDatagramProtocol protocol, Happening what, long value, IDatagramTransport? transport = null)
    {
        _world.Callbacks++;
        Note(what, value);
        if (!ReferenceEquals((transport ?? Transport)?.Protocol, protocol)) Broken(Invariant.Lifecycle, $"{what} came to a protocol that is not the transport's");
    }

    private void Note(Happening what, long value) => _world.Trace.Add(_world.Simulation.Time.Ticks, World.FirstEndpoint + Number, what, value);

    private void Act(bool always = false)
    {
        // Datagrams that answer datagrams would never end.
        if (_acts <= 0 || _world.IsCalm || _depth > 3 || Transport is not { } transport || (!always && !Dice.Chance(_world.Plan.CallbackActs))) return;
        _acts--;
        _contract.Enter();
        _depth++;
        try
        {
            if (Dice.Chance(_plan.EndChance)) End(transport);
            else if (Dice.Chance(0.1)) transport.SetWriteBufferLimits(Dice.Below(20_000));
            else if (Dice.Chance(0.05)) transport.SetProtocol(new ChaosDatagramProtocol(this));
            else Send(transport);
            if (!Dice.Chance(_plan.ThrowChance)) return;
            Note(Happening.Throw, 0);
            _world.WillReport();
            throw new ChaosException(null);
        }
        finally
        {
            _depth--;
            _contract.Leave();
        }
    }

    private void End(IDatagramTransport transport)
    {
        Note(Happening.Close, 0);
        if (Dice.Chance(0.3)) transport.Abort();
        else transport.Close();
    }

    private void Send(IDatagramTransport transport)
    {
        for (var left = Dice.SomeOf(_plan.Burst); left > 0; left--)
        {
            var to = Peer ?? _world.Datagrams.DrawReceiver(this);
            if (to is null && !_world.Datagrams.IsPaired(this)) return;
            var length = Dice.Chance(0.2) ? Dice.Below(8) : Dice.Below(_plan.LargestSend);
            Note(Happening.SendTo, length);
            var data = Ledger.Next(length, to);
            HasSentInside |= ++_sending > 1;
            transport.SendTo(data, Peer is null || Dice.Chance(0.5) ? to : null);
            _sending--;
            data.AsSpan().Fill(0xEE);
        }
    }

    private void OnContractBroken(ContractRule rule, string what) => Broken(
        rule switch
        {
            ContractRule.Lifecycle => Invariant.Lifecycle,
            ContractRule.Reentrancy => Invariant.Reentrancy,
            ContractRule.Paused => Invariant.Paused,
            _ => Invariant.Flow,
        },
        what);
}
