namespace Sluice.Testing.Kernel;

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
    private readonly SimulatedSocket _receiver;
    private readonly Action _arrive;
    private readonly int _window;
    private readonly Queue<Packet> _wire = new();

    // What has arrived and, behind it, the data of the packets on the wire: arriving moves a boundary and no bytes.
    private readonly ByteRing _bytes = new();
    private TimeSpan _lastDue;
    private int _arrivedOfFirst;
    private bool _isStalled;

    public Link(SimulatedNetwork network, SimulatedSocket receiver)
    {
        _network = network;
        _receiver = receiver;
        _arrive = Arrive;
        _window = receiver.IsUnix ? network.Options.SendBufferSize + network.Options.ReceiveBufferSize : network.Options.ReceiveBufferSize;
        Log = network.KeepsLogs ? new ByteRing() : null;
    }

    private enum PacketKind
    {
        Data,
        Fin,
        Reset,
    }

    /// <summary>
    /// All bytes that were ever given to this link, for the comparison with what the receiver's protocol saw; null where the network keeps none.
    /// </summary>
    public ByteRing? Log { get; }

    /// <summary>How many bytes were ever given to this link.</summary>
    public long Sent { get; private set; }

    public int Unread { get; private set; }

    public int Room => _network.Options.SendBufferSize + _network.Options.ReceiveBufferSize - _bytes.Count;

    public bool FinArrived { get; private set; }

    private int Travelling => _bytes.Count - Unread;

    public void Send(ReadOnlySpan<byte> data)
    {
        Log?.Append(data);
        Sent += data.Length;
        _bytes.Append(data);
        Post(PacketKind.Data, data.Length);
    }

    public void SendFin() => Post(PacketKind.Fin, 0);

    public void SendReset() => Post(PacketKind.Reset, 0);

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

    private void Post(PacketKind kind, int size)
    {
        var due = _network.ArrivalTime(_receiver);
        if (due < _lastDue) due = _lastDue;
        _lastDue = due;
        _wire.Enqueue(new Packet(kind, size, due));
        if (due == _network.Clock.Now) Arrive();
        else _network.Schedule(due, _arrive);
    }

    private void Arrive()
    {
        while (!_isStalled && _wire.TryPeek(out var packet) && packet.Due <= _network.Clock.Now)
        {
            if (packet.Kind == PacketKind.Data && !TakeData(packet))
            {
                if (HasDueReset()) DropBlockedData();
                else return;
            }

            if (!_wire.TryDequeue(out packet)) return;
            _arrivedOfFirst = 0;
            if (packet.Kind == PacketKind.Fin) FinArrived = true;
            if (packet.Kind == PacketKind.Reset) _receiver.TakeReset();
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
            _arrivedOfFirst += count;
        }

        return _arrivedOfFirst == packet.Size;
    }

    private bool HasDueReset()
    {
        foreach (var packet in _wire)
        {
            if (packet.Kind == PacketKind.Reset && packet.Due <= _network.Clock.Now) return true;
        }

        return false;
    }

    private void DropBlockedData()
    {
        while (_wire.Peek().Kind != PacketKind.Reset) _wire.Dequeue();
        DropTravelling();
    }

    private void DropTravelling()
    {
        _bytes.DropLast(Travelling);
        _arrivedOfFirst = 0;
    }

    private readonly record struct Packet(PacketKind Kind, int Size, TimeSpan Due);
}
