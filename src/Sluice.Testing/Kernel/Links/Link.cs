using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel.Links;

/// <summary>
/// One direction of a connection: what is on its way, and what has arrived and waits to be read. Owned by the sending socket.
/// </summary>
/// <remarks>
/// A simplification: there are no segments and no acknowledgements. The sender's room is what neither travels nor waits at the
/// receiver, so it learns of a read at once and not after a round trip.
/// </remarks>
internal sealed class Link
{
    private readonly SimulatedNetwork _network;
    private readonly SimulatedSocket _sender;
    private readonly SimulatedSocket _receiver;
    private readonly SimulatedLink? _way;
    private readonly Action _arrive;
    private readonly int _window;
    private readonly int _capacity;
    private readonly Wire _wire = new();

    // What has arrived and, behind it, the data of the packets on the wire: arriving moves a boundary and no bytes.
    private readonly ByteRing _bytes = new();
    private Retransmission? _retransmission;
    private TimeSpan _lastDue;
    private int _arrivedOfFirst;
    private int _drops;
    private bool _isStalled;

    /// <param name="network">The simulated network.</param>
    /// <param name="sender">Who sends.</param>
    /// <param name="receiver">Who receives.</param>
    /// <param name="way">The way between their hosts; null for Unix sockets and pipes, which have none.</param>
    /// <param name="capacity">How many bytes it holds where it is no socket's.</param>
    public Link(SimulatedNetwork network, SimulatedSocket sender, SimulatedSocket receiver, SimulatedLink? way, int? capacity = null)
    {
        _network = network;
        _sender = sender;
        _receiver = receiver;
        _way = way;
        _arrive = Arrive;
        _capacity = capacity ?? (way is null
            ? network.Options.SendBufferSize + network.Options.ReceiveBufferSize
            : way.SendBufferSize + way.ReceiveBufferSize);
        _window = way?.ReceiveBufferSize ?? _capacity;
        Log = network.KeepsLogs ? new ByteRing() : null;
    }

    /// <summary>
    /// All bytes that were ever given to this link, for the comparison with what the receiver's protocol saw; null where the network keeps none.
    /// </summary>
    public ByteRing? Log { get; }

    /// <summary>How many bytes were ever given to this link.</summary>
    public long Sent { get; private set; }

    /// <summary>How many bytes have ever got to the receiver's window.</summary>
    public long Taken { get; private set; }

    public int Unread { get; private set; }

    public int Room => _capacity - _bytes.Count;

    public bool FinArrived { get; private set; }

    /// <summary>Bytes that the sender has given away and the receiver does not have.</summary>
    public int Travelling => _bytes.Count - Unread;

    /// <summary>How many packets have arrived.</summary>
    public long Delivered { get; private set; }

    /// <summary>Something waits to be sent again.</summary>
    public bool HasLost => _wire.HasLost;

    public void Send(ReadOnlySpan<byte> data)
    {
        Log?.Append(data);
        Sent += data.Length;
        _bytes.Append(data);
        Post(PacketKind.Data, data.Length);
    }

    public void SendFin() => Post(PacketKind.Fin, 0);

    public void SendReset()
    {
        // Who sends a reset has forgotten the connection and sends nothing again.
        if (HasLost) DropFrom(static packet => packet.IsLost);
        Post(PacketKind.Reset, 0);
    }

    /// <summary>Takes bytes that have arrived; what waited for room behind them arrives now.</summary>
    public void Read(Span<byte> target)
    {
        _bytes.Take(target);
        Unread -= target.Length;
        Arrive();
    }

    /// <summary>Forgets what has not arrived: one of the two sockets is gone.</summary>
    public void Drop()
    {
        _drops++;
        _wire.Clear();
        DropTravelling();
    }

    public void DropUnread()
    {
        _bytes.DropFirst(Unread);
        Unread = 0;
    }

    /// <summary>Holds back all that travels until it is undone.</summary>
    public void Stall(bool isStalled)
    {
        _isStalled = isStalled;
        Arrive();
    }

    /// <summary>The sender's host has crashed: only what has left it still arrives.</summary>
    public void LoseSender()
    {
        var now = _network.Clock.Now;
        DropFrom(packet => packet.IsLost || packet.Left > now || packet.Due <= now);
    }

    /// <summary>The receiver's host has crashed: what it had is gone, and what arrives is lost.</summary>
    public void LoseReceiver()
    {
        DropUnread();
        var arrived = _arrivedOfFirst;
        _arrivedOfFirst = 0;
        _wire.Replace(packet =>
        {
            var rest = packet with { Size = packet.Size - arrived };
            arrived = 0;
            return rest;
        });
        Arrive();
    }

    /// <summary>Sends again what was lost, in order, up to the first that is lost once more.</summary>
    public void SendLostAgain()
    {
        if (_sender.IsVanished) Drop();
        var verdicts = new Queue<Verdict>();
        var drops = _drops;
        foreach (var packet in _wire.Lost())
        {
            var verdict = Judge(packet.Kind, packet.Size);
            if (drops != _drops) return;
            if (verdict == Verdict.Reset)
            {
                ResetSender();
                return;
            }

            if (verdict == Verdict.Drop) break;
            verdicts.Enqueue(verdict);
        }

        if (verdicts.Count == 0) return;
        _network.Trace.Add(KernelEvent.Retransmission, _sender.Id, verdicts.Count, _sender);
        _wire.Replace(packet => packet.IsLost && verdicts.TryDequeue(out var verdict) ? Launch(packet.Kind, packet.Size, verdict.Delay) : packet);
        Arrive();
    }

    /// <summary>What was lost has been sent too often.</summary>
    public void GiveUp()
    {
        Drop();
        _sender.TimeOut();
    }

    private void Post(PacketKind kind, int size)
    {
        var drops = _drops;
        var verdict = Judge(kind, size);

        // A rule is the user's: it may have crashed a host meanwhile.
        if (drops != _drops) return;
        switch (verdict.Outcome)
        {
            case Verdict.Fate.Reset:
                ResetSender();
                break;
            case Verdict.Fate.Drop when kind == PacketKind.Reset:
                break;
            case Verdict.Fate.Drop:
                _wire.Add(Packet.Lost(kind, size));
                BeginToSendAgain();
                break;
            default:
                var packet = Launch(kind, size, verdict.Delay);
                _wire.Add(packet);
                if (packet.Due == _network.Clock.Now) Arrive();
                break;
        }
    }

    private Verdict Judge(PacketKind kind, int size) =>
        _way is null ? Verdict.Pass : _network.Judge(_way, _sender.Station, _receiver.Station, kind, size, _receiver.Dice, _sender.Id);

    /// <summary>Gives a packet to the wire.</summary>
    private Packet Launch(PacketKind kind, int size, TimeSpan delay)
    {
        var left = _way?.LeaveTime(_sender.Machine, size) ?? _network.Clock.Now;
        var due = _way is null ? left : left + _way.TravelTime(_receiver.Dice) + delay;
        if (due < _lastDue) due = _lastDue;
        _lastDue = due;
        if (due > _network.Clock.Now) _network.Schedule(due, _arrive);
        return new Packet(kind, size, left, due);
    }

    private void ResetSender()
    {
        _sender.TakeReset();
        Drop();
    }

    private void BeginToSendAgain()
    {
        (_retransmission ??= new Retransmission(_network, this)).Begin();
    }

    private void Arrive()
    {
        while (!_isStalled && _wire.TryPeek(out var packet) && packet.Due <= _network.Clock.Now)
        {
            if (_receiver.IsVanished)
            {
                ArriveAtNobody();
                return;
            }

            if (packet.Kind == PacketKind.Data && !TakeData(packet))
            {
                if (_wire.HasResetBy(_network.Clock.Now)) DropBlockedData();
                else return;
            }

            if (!_wire.TryTake(out packet)) return;
            _arrivedOfFirst = 0;
            Delivered++;
            _network.Trace.Add(KernelEvent.Delivery, _receiver.Id, packet.Size, _receiver, packet.Kind);
            if (packet.Kind == PacketKind.Fin) FinArrived = true;
            if (packet.Kind == PacketKind.Reset) _receiver.TakeReset();
        }
    }

    /// <summary>The receiver's host has crashed: while it is down all is lost, and afterwards it knows of no such connection.</summary>
    private void ArriveAtNobody()
    {
        var now = _network.Clock.Now;
        if (_wire.HasReset()) Drop();
        else if (_receiver.Machine.IsDown)
        {
            _wire.Replace(packet => packet.Due <= now ? Packet.Lost(packet.Kind, packet.Size) : packet);
            BeginToSendAgain();
        }
        else
        {
            Drop();
            _receiver.AnswerWithReset();
        }
    }

    /// <summary>Moves a packet's bytes into the window. False where a part has to wait for room.</summary>
    private bool TakeData(in Packet packet)
    {
        if (_receiver.IsGone)
        {
            Drop();
            _receiver.AnswerWithReset();
            return true;
        }

        var count = Math.Min(packet.Size - _arrivedOfFirst, _window - Unread);
        if (count > 0)
        {
            Unread += count;
            Taken += count;
            _arrivedOfFirst += count;
        }

        return _arrivedOfFirst == packet.Size;
    }

    private void DropBlockedData()
    {
        _wire.DropUpToReset();
        DropTravelling();
    }

    private void DropTravelling()
    {
        _bytes.DropLast(Travelling);
        _arrivedOfFirst = 0;
    }

    private void DropFrom(Predicate<Packet> isFirst)
    {
        var kept = _wire.DropFrom(isFirst);
        if (kept == 0) _arrivedOfFirst = 0;
        _bytes.DropLast(Travelling - (kept - _arrivedOfFirst));
        _drops++;
    }
}
