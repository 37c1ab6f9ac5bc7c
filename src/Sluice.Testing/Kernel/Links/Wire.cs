namespace Sluice.Testing.Kernel.Links;

/// <summary>The packets of one direction of a connection in the order in which they were sent, and have to arrive. Owned by its link.</summary>
internal sealed class Wire
{
    private readonly Queue<Packet> _packets = new();

    /// <summary>Something waits to be sent again.</summary>
    public bool HasLost { get; private set; }

    public void Add(in Packet packet)
    {
        _packets.Enqueue(packet);
        HasLost |= packet.IsLost;
    }

    public bool TryPeek(out Packet packet) => _packets.TryPeek(out packet);

    public bool TryTake(out Packet packet) => _packets.TryDequeue(out packet);

    public Packet[] Lost() => [.. _packets.Where(static packet => packet.IsLost)];

    public bool HasReset() => HasResetBy(TimeSpan.MaxValue);

    public bool HasResetBy(TimeSpan time)
    {
        foreach (var packet in _packets)
        {
            if (packet.Kind == PacketKind.Reset && packet.Due <= time) return true;
        }

        return false;
    }

    public void DropUpToReset()
    {
        while (_packets.Peek().Kind != PacketKind.Reset) _packets.Dequeue();
    }

    public void Clear()
    {
        _packets.Clear();
        HasLost = false;
    }

    /// <summary>Drops the first packet of which it is true, and all behind it.</summary>
    /// <returns>How many bytes are in those that stay.</returns>
    public int DropFrom(Predicate<Packet> isFirst)
    {
        var keeps = true;
        var kept = 0;
        for (var left = _packets.Count; left > 0; left--)
        {
            var packet = _packets.Dequeue();
            keeps = keeps && !isFirst(packet);
            if (!keeps) continue;
            _packets.Enqueue(packet);
            kept += packet.Size;
        }

        HasLost = _packets.Any(static packet => packet.IsLost);
        return kept;
    }

    /// <summary>Puts another packet in the place of each.</summary>
    public void Replace(Func<Packet, Packet> change)
    {
        for (var left = _packets.Count; left > 0; left--) _packets.Enqueue(change(_packets.Dequeue()));
        HasLost = _packets.Any(static packet => packet.IsLost);
    }
}
