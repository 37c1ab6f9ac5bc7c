using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>A datagram socket of a simulated host. Owned by its transport, whose every step it judges.</summary>
internal sealed class SimulatedDatagramChannel : DatagramChannel, ISimulatedSource
{
    /// <summary>The longest payload that a receive takes: one that is longer, over a Unix socket, is cut off and dropped.</summary>
    private const int ReceiveSize = 65_535;

    private readonly SimulatedBackend _host;
    private readonly bool _removesFile;
    private IDatagramSink? _sink;
    private EndPoint? _localName;
    private Life _life;
    private bool _isReading;
    private bool _awaitsRoom;
    private bool _mayHaveRoom;
    private bool _wasRefused;

    /// <param name="host">Whose channel it is.</param>
    /// <param name="kernel">The socket.</param>
    /// <param name="options">How far multicast datagrams go: what the kernel has to know of how it is opened.</param>
    /// <param name="removesFile">Whether a Unix socket's file goes when this closes.</param>
    public SimulatedDatagramChannel(SimulatedBackend host, SimulatedDatagramSocket kernel, DatagramOptions options, bool removesFile)
    {
        _removesFile = removesFile;
        kernel.HearsItself = options.MulticastLoopback ?? true;
        kernel.LeavesHost = options.MulticastTimeToLive != 0;
        _host = host;
        Kernel = kernel;
        host.Add(this);
    }

    private enum Life
    {
        Open,
        Released,
        Closed,
    }

    public SimulatedDatagramSocket Kernel { get; }

    public KernelDice Dice => Kernel.Dice;

    /// <summary>A transport has taken it over and has not been told yet that the kernel is done.</summary>
    public bool IsAttached => _sink is not null && _life != Life.Closed;

    public override nint Handle => Kernel.View.Handle;

    public override AddressFamily Family => Kernel.Family;

    public override EndPoint? LocalName => _life is Life.Open ? _localName = Kernel.LocalName : _localName;

    public override EndPoint? PeerName => Kernel.PeerName;

    public override bool IsConnected => Kernel.IsConnected;

    public override TransportSocket? Socket => Kernel.View;

    public bool IsReady => _life switch
    {
        Life.Open => _sink is not null && (HasReadEvent || HasRoom),
        Life.Released => true,
        _ => false,
    };

    private SimulationOptions Options => _host.Network.Options;

    private bool HasReadEvent => _isReading && (Kernel.CanReceive || _host.Faults.HasReceive);

    private bool HasRoom => _awaitsRoom && _mayHaveRoom && Kernel.HasRoom;

    public override void Attach(IDatagramSink sink)
    {
        if (_sink is not null) Violated("Attach was called twice");
        if (_life != Life.Open) Violated("Attach was called after Close");
        _sink = sink;
    }

    public override void StartReading()
    {
        VerifyOpen(nameof(StartReading));
        _isReading = true;
    }

    public override int TrySend(in DatagramQueue queue, out IoError error)
    {
        VerifyOpen(nameof(TrySend));
        if (queue.Count == 0) Violated("TrySend was given no datagrams");
        error = IoError.None;
        _wasRefused = false;
        if (Dice.Chance(Options.RefusedWrites)) return Refused(0);
        var most = queue.Count > 1 && Dice.Chance(Options.PartialWrites) ? Dice.SomeOf(queue.Count) : queue.Count;
        for (var sent = 0; sent < most; sent++)
        {
            if (!TrySendOne(queue, sent, out error)) return error.IsNone ? Refused(sent) : sent;
        }

        return most == queue.Count ? most : Refused(most);
    }

    public override void AwaitRoom()
    {
        VerifyOpen(nameof(AwaitRoom));
        if (!_wasRefused) Violated("AwaitRoom was called though nothing was refused");
        _awaitsRoom = true;
        _mayHaveRoom = !Dice.Chance(Options.SlowWrites);
        if (!_mayHaveRoom) _host.Network.Schedule(_host.Clock.Now + Options.Latency + Dice.Part(Options.LatencyJitter), () => _mayHaveRoom = true);
    }

    public override IoError SetMembership(bool join, IPAddress group, int interfaceIndex, IPAddress? source)
    {
        VerifyOpen(nameof(SetMembership));
        return Kernel.SetMembership(join, group, source);
    }

    public override void Close()
    {
        if (_life != Life.Open) Violated("Close was called twice");
        Release();
    }

    public bool Report()
    {
        if (_life is Life.Released)
        {
            _life = Life.Closed;
            _host.Remove(this);
            _sink?.OnClosed();
            return _sink is not null;
        }

        var readFirst = Dice.Chance(0.5);
        var reported = readFirst ? ReportReceived() : ReportRoom();
        if (_life is Life.Open) reported |= readFirst ? ReportRoom() : ReportReceived();
        return reported;
    }

    /// <summary>The loop has ended: the kernel takes the descriptor back.</summary>
    public void LetGo()
    {
        if (_life is Life.Open) Release();
        _life = Life.Closed;
    }

    public override string ToString() =>
        $"datagrams at {Kernel} ({(_life is Life.Open ? $"{(_isReading ? "reading" : "not reading")}{(_awaitsRoom ? ", a send blocked" : "")}" : _life.ToString())})";

    private bool TrySendOne(in DatagramQueue queue, int index, out IoError error)
    {
        if (_host.Faults.TryTakeSend(out error))
        {
            if (error == IoError.WouldBlock) error = IoError.None;
            else Kernel.Refuse(queue.PayloadAt(index).Length);
            return false;
        }

        return Kernel.TrySend(queue.PayloadAt(index), queue.AddressAt(index).ToEndPoint(), out error);
    }

    private int Refused(int sent)
    {
        _wasRefused = true;
        return sent;
    }

    private bool ReportRoom()
    {
        if (!HasRoom) return false;
        _awaitsRoom = false;
        _sink!.OnRoom();
        return true;
    }

    /// <summary>What one event brings: a batch, which may end anywhere.</summary>
    private bool ReportReceived()
    {
        if (!HasReadEvent) return false;
        var left = Dice.Chance(Options.ShortReads) ? Dice.SomeOf(MostPerPoll) : MostPerPoll;
        for (var bytes = 0; left > 0 && bytes < MostBytesPerPoll && _life is Life.Open && HasReadEvent; left--) bytes += ReceiveOne();
        _sink!.OnBatchEnd();
        return true;
    }

    private int ReceiveOne()
    {
        if (_host.Faults.TryTakeReceive(out var error))
        {
            // Would-block, as after a wake-up for a datagram with a wrong checksum: nobody hears of it.
            if (error != IoError.WouldBlock) _sink!.OnReceiveFailed(error);
            return 0;
        }

        if (!Kernel.TryReceive(out var datagram, out error))
        {
            if (!error.IsNone) _sink!.OnReceiveFailed(error);
            return 0;
        }

        var length = datagram.Payload.Length;
        if (length > ReceiveSize)
        {
            _sink!.OnTruncated();
            return ReceiveSize;
        }

        var lent = _host.ReadBuffer.AsSpan(0, length);
        datagram.Payload.CopyTo(lent);
        _sink!.OnDatagram(lent, datagram.Sender);

        // The buffer is shared and lent: who keeps the span must not find its bytes in it later.
        lent.Fill(0xDB);
        return length;
    }

    private void Release()
    {
        _localName = Kernel.LocalName;
        _life = Life.Released;
        _isReading = false;
        _awaitsRoom = false;
        Kernel.View.MarkClosed();
        if (_removesFile) Kernel.RemoveFile();
        Kernel.Release();
    }

    private void VerifyOpen(string member)
    {
        if (_sink is null) Violated($"{member} was called before Attach");
        if (_life != Life.Open) Violated($"{member} was called after Close");
    }

    private void Violated(string law) => _host.Network.Violated($"{law} ({Kernel})");
}
