using System.Net.Sockets;
using Sluice.Sweep.Running;
using Sluice.Sweep.Tls;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Streams;

/// <summary>
/// One end of a connection of a world: the callbacks of its protocols, judged, and answered with whatever the dice say. Owned by its world.
/// The judging of bytes and sizes is its <see cref="EndModel"/>'s, the acting its <see cref="Chaos"/>'s.
/// </summary>
internal sealed class End
{
    public static readonly IReadOnlyList<string> LossKinds = ["in order", "by an exception", "above the limit", "by an empty buffer", "by the network"];

    private readonly ProtocolContract _contract;
    private int _depth;

    public End(World world, SimulatedHost host, int number, int connection, bool isServer, Security security, KernelDice dice)
    {
        World = world;
        Host = host;
        Number = number;
        Connection = connection;
        IsServer = isServer;
        Security = security;
        if (security == Security.StartTls) Upgrade = new Upgrade(this);
        Dice = dice;
        _contract = new ProtocolContract(OnContractBroken);
        Model = new EndModel(this);
        Chaos = new Chaos(this);
    }

    public World World { get; }

    public SimulatedHost Host { get; }

    public int Number { get; }

    /// <summary>Which connection of the plan it belongs to; the two ends of one have the same.</summary>
    public int Connection { get; }

    public bool IsServer { get; }

    public bool Misbehaves { get; init; }

    public KernelDice Dice { get; }

    public Security Security { get; }

    /// <summary>How it becomes TLS on the way, or null.</summary>
    public Upgrade? Upgrade { get; }

    /// <summary>On the way to TLS: it does nothing else.</summary>
    public bool IsUpgrading => Upgrade is { IsOver: false };

    /// <summary>The hard limit of its write buffer: an upgraded transport has the default one.</summary>
    public int Cap => Upgrade is null ? World.Plan.Cap : new ConnectionOptions().MaxWriteBufferSize;

    /// <summary>Its host has crashed: nothing more is heard of it.</summary>
    public bool IsCrashed { get; private set; }

    public EndModel Model { get; }

    public Chaos Chaos { get; }

    public ITransport? Transport => (ITransport?)_contract.Transport;

    public bool IsMade => _contract.IsMade;

    public bool IsLost => _contract.IsLost;

    /// <summary>Made and not lost.</summary>
    public bool IsLive => IsMade && !IsLost && !IsCrashed;

    public bool HasEnded => _contract.HasEnded;

    public bool IsWritingPaused => _contract.IsWritingPaused;

    /// <summary>No more than a few callbacks of one end act inside each other.</summary>
    public bool IsDeep => _depth > 3;

    /// <summary>Why it was lost: an index of <see cref="LossKinds"/>.</summary>
    public int LossKind { get; private set; }

    /// <summary>Over what happened to this end and what it did, while chaos reigned.</summary>
    public ulong Hash { get; private set; }

    public void Note(Happening what, long value)
    {
        var ticks = World.Simulation.Time.Ticks;
        World.Trace.Add(ticks, Number, what, value);
        if (!World.IsCalm) Hash = Trace.Mix(Hash, Trace.Fold(new Trace.Entry(ticks, 0, what, value)));
    }

    public void Broken(Invariant invariant, string what) => World.Broken(invariant, $"end {Number}: {what}");

    public void OnMade(BaseProtocol protocol, ITransport transport)
    {
        Begin(protocol, Happening.ConnectionMade, 0, transport);
        _contract.ConnectionMade(transport);
        Model.Bind(transport);
        World.Made(this);
        if (World.Plan.IsIsolated) Chaos.WriteAtOnce();
        if (Upgrade is { } upgrade)
        {
            upgrade.OnMade(transport);
            return;
        }

        VerifySecured();
        Act(mayThrow: true, isFatal: false);
        if (!World.IsCalm) Chaos.BeginTurns();
    }

    /// <summary>The connection goes on over TLS.</summary>
    public void CarryOn(ITransport transport)
    {
        _contract.CarryOn(transport);
        VerifySecured();
        if (World.IsCalm) return;
        Chaos.BeginTurns();
    }

    /// <summary>Its host's power is cut.</summary>
    public void Crash()
    {
        IsCrashed = true;
        Model.AskedToEnd = Model.WasAborted = true;
    }

    public void OnData(BaseProtocol protocol, ReadOnlySpan<byte> data)
    {
        Begin(protocol, Happening.DataReceived, data.Length);
        _contract.DataReceived(data.Length);
        Model.Receive(data);
        if (IsUpgrading) Upgrade!.OnData(Transport!);
        Act(mayThrow: true, isFatal: true);
    }

    public Memory<byte> OnGetBuffer(BaseProtocol protocol, int sizeHint)
    {
        Begin(protocol, Happening.GetBuffer, sizeHint);
        _contract.GetBuffer();
        Act(mayThrow: false, isFatal: true);
        return Chaos.DrawBuffer();
    }

    public void OnBufferUpdated(BaseProtocol protocol, Memory<byte> lent, int count)
    {
        Begin(protocol, Happening.BufferUpdated, count);
        _contract.BufferUpdated(count);
        if (count > lent.Length) Broken(Invariant.Bytes, $"{count} bytes were put into a buffer of {lent.Length}");
        else Model.Receive(lent.Span[..count]);
        if (IsUpgrading) Upgrade!.OnData(Transport!);
        Act(mayThrow: true, isFatal: true);
    }

    public bool OnEof(BaseProtocol protocol)
    {
        Begin(protocol, Happening.EofReceived, 0);
        _contract.EofReceived();
        Model.ReceiveEnd();
        Act(mayThrow: true, isFatal: true);
        var keepOpen = !World.IsCalm && Dice.Chance(World.Plan.KeepsHalfOpen);
        if (!keepOpen || Security != Security.None) Model.AskedToEnd = true;
        return keepOpen && !IsUpgrading;
    }

    public void OnDrain(BaseProtocol protocol)
    {
        Begin(protocol, Happening.DrainRequested, 0);
        _contract.DrainRequested();
        Act(mayThrow: true, isFatal: false);
    }

    public void OnFlow(BaseProtocol protocol, bool pause)
    {
        Begin(protocol, pause ? Happening.PauseWriting : Happening.ResumeWriting, Transport?.WriteBufferSize ?? -1);
        if (pause) _contract.PauseWriting();
        else _contract.ResumeWriting();
        Model.FlowChanged(pause);
        Act(mayThrow: true, isFatal: false);
    }

    public void OnLost(BaseProtocol protocol, Exception? reason)
    {
        LossKind = KindOf(reason);
        Begin(protocol, Happening.ConnectionLost, reason is SocketException socket ? (long)socket.SocketErrorCode : LossKind);
        _contract.ConnectionLost();
        Model.Lose(reason);
        Act(mayThrow: true, isFatal: false);
    }

    /// <summary>A turn of the end's own.</summary>
    public void Turn()
    {
        if (World.IsCalm || !IsMade || IsCrashed) return;
        World.Callbacks++;
        Note(Happening.Turn, 0);
        Act(mayThrow: true, isFatal: false, always: true);
    }

    private void VerifySecured()
    {
        if (Security != Security.None && Transport!.GetExtraInfo(ExtraInfo.Cipher) is null) Broken(Invariant.Secrecy, "it was told of the connection before the handshake was done");
    }

    private static int KindOf(Exception? reason) => reason switch
    {
        null => 0,
        ChaosException => 1,
        WriteBufferLimitException => 2,
        SocketException => 4,
        _ => 3,
    };

    private void Begin(BaseProtocol protocol, Happening what, long value, ITransport? transport = null)
    {
        World.Callbacks++;
        Note(what, value);
        if (IsCrashed) Broken(Invariant.Lifecycle, $"{what} came on a host that has crashed");
        if (!ReferenceEquals((transport ?? Transport)?.Protocol, protocol)) Broken(Invariant.Lifecycle, $"{what} came to a protocol that is not the transport's");
    }

    private void Act(bool mayThrow, bool isFatal, bool always = false)
    {
        _contract.Enter();
        _depth++;
        try
        {
            Model.Verify();
            if (IsUpgrading) return;
            Chaos.Act(always);
            if (mayThrow) Chaos.MayThrow(isFatal);
        }
        finally
        {
            _depth--;
            _contract.Leave();
        }
    }

    private void OnContractBroken(ContractRule rule, string what) => Broken(
        rule switch
        {
            ContractRule.Lifecycle => Invariant.Lifecycle,
            ContractRule.Reentrancy => Invariant.Reentrancy,
            ContractRule.End => Invariant.End,
            ContractRule.Flow => Invariant.Flow,
            ContractRule.Paused => Invariant.Paused,
            _ => Invariant.Empty,
        },
        what);
}
