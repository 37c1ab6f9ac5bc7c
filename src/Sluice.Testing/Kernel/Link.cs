namespace Sluice.Testing.Kernel;

/// <summary>
/// One direction of a connection: what is on its way, and what has arrived and waits to be read. Owned by the sending socket.
/// </summary>
/// <remarks>
/// A simplification: there are no segments and no acknowledgements. The sender's room is what neither travels nor waits at the
/// receiver, so it learns of a read at once and not after a round trip.
/// </remarks>
internal sealed class Link(SimulatedNetwork network, SimulatedSocket receiver)
{
    private readonly int _window = receiver.IsUnix
        ? network.Options.SendBufferSize + network.Options.ReceiveBufferSize
        : network.Options.ReceiveBufferSize;

    private readonly Queue<Packet> _wire = new();
    private readonly ByteRing _arrived = new();
    private TimeSpan _lastDue;
    private int _travelling;
    private bool _isStalled;

    private enum PacketKind
    {
        Data,
        Fin,
        Reset,
    }

    /// <summary>All bytes that were ever given to this link, for the comparison with what the receiver's protocol saw.</summary>
    public ByteRing Log { get; } = new();

    public int Unread => _arrived.Count;

    public int Room => network.Options.SendBufferSize + network.Options.ReceiveBufferSize - _travelling - _arrived.Count;

    public bool FinArrived { get; private set; }

    public void Send(ReadOnlySpan<byte> data)
    {
        Log.Append(data);
        _travelling += data.Length;
        Post(new Packet(PacketKind.Data, data.ToArray()));
    }

    public void SendFin() => Post(new Packet(PacketKind.Fin, []));

    public void SendReset() => Post(new Packet(PacketKind.Reset, []));

    /// <summary>Takes bytes that have arrived; what waited for room behind them arrives now.</summary>
    public void Read(Span<byte> target)
    {
        _arrived.Take(target);
        Arrive();
    }

    /// <summary>Forgets what has not been read: one of the two sockets is gone.</summary>
    public void Drop()
    {
        _wire.Clear();
        _travelling = 0;
    }

    public void DropUnread() => _arrived.Clear();

    /// <summary>Holds back all that travels until it is undone.</summary>
    public void Stall(bool isStalled)
    {
        _isStalled = isStalled;
        Arrive();
    }

    private void Post(Packet packet)
    {
        var due = network.ArrivalTime(receiver.IsUnix);
        if (due < _lastDue) due = _lastDue;
        _lastDue = due;
        packet.Due = due;
        _wire.Enqueue(packet);
        if (due == network.Clock.Now) Arrive();
        else network.Schedule(due, Arrive);
    }

    private void Arrive()
    {
        while (!_isStalled && _wire.TryPeek(out var packet) && packet.Due <= network.Clock.Now)
        {
            if (packet.Kind == PacketKind.Data && !TakeData(packet))
            {
                if (HasDueReset()) DropBlockedData();
                else return;
            }

            if (!_wire.TryDequeue(out packet)) return;
            if (packet.Kind == PacketKind.Fin) FinArrived = true;
            if (packet.Kind == PacketKind.Reset) receiver.TakeReset();
        }
    }

    /// <summary>Moves a packet's bytes into the window. False where a part has to wait for room.</summary>
    private bool TakeData(Packet packet)
    {
        if (receiver.IsGone)
        {
            Drop();
            receiver.AnswerWithReset();
            return true;
        }

        var count = Math.Min(packet.Data.Length - packet.Taken, _window - _arrived.Count);
        if (count > 0)
        {
            _arrived.Append(packet.Data.AsSpan(packet.Taken, count));
            packet.Taken += count;
            _travelling -= count;
        }

        return packet.Taken == packet.Data.Length;
    }

    private bool HasDueReset() => _wire.Any(packet => packet.Kind == PacketKind.Reset && packet.Due <= network.Clock.Now);

    private void DropBlockedData()
    {
        while (_wire.Peek().Kind != PacketKind.Reset) _wire.Dequeue();
        _travelling = 0;
    }

    private sealed class Packet(PacketKind kind, byte[] data)
    {
        public PacketKind Kind => kind;

        public byte[] Data => data;

        public int Taken { get; set; }

        public TimeSpan Due { get; set; }
    }
}
