using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <summary>
/// The way between two hosts, or from a host to itself: what it is like, the same in both directions. Made by <see cref="Simulation.Link"/>;
/// what is set counts for packets, or connections, from then on.
/// </summary>
public sealed class SimulatedLink
{
    private readonly SimulatedMachine _first;
    private readonly TimeSpan[] _busyUntil = new TimeSpan[2];

    internal SimulatedLink(SimulatedMachine first)
    {
        _first = first;
        var options = first.Network.Options;
        Latency = options.Latency;
        Jitter = options.LatencyJitter;
        Bandwidth = options.Bandwidth;
        PacketLoss = options.PacketLoss;
        DatagramLoss = options.DatagramLoss;
        DatagramDuplication = options.DatagramDuplication;
        DatagramReordering = options.DatagramReordering;
        SendBufferSize = options.SendBufferSize;
        ReceiveBufferSize = options.ReceiveBufferSize;
    }

    /// <summary>How long a packet travels at least.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public TimeSpan Latency
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    }

    /// <summary>How much longer a packet may travel, as the seed decides; packets of one connection do not overtake each other.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public TimeSpan Jitter
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    }

    /// <summary>Bytes per second in each direction, shared by all; null is no limit. Only bytes of streams and datagrams count.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or negative.</exception>
    public long? Bandwidth
    {
        get;
        set
        {
            if (value is { } rate) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rate);
            field = value;
        }
    }

    /// <summary>How likely a packet is lost: from 0 to 1. Asked before the rules.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no probability.</exception>
    public double PacketLoss
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
            field = value;
        }
    }

    /// <summary>How likely a datagram is lost for good: from 0 to 1. Asked before the rules.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no probability.</exception>
    public double DatagramLoss
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
            field = value;
        }
    }

    /// <summary>How likely a datagram arrives twice: from 0 to 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no probability.</exception>
    public double DatagramDuplication
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
            field = value;
        }
    }

    /// <summary>How likely a datagram is held back, so that later ones overtake it: from 0 to 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is no probability.</exception>
    public double DatagramReordering
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
            field = value;
        }
    }

    /// <summary>The bytes that a sender's kernel holds for a receiver that has no room, of connections made from now on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public int SendBufferSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>The bytes that a receiver's kernel holds until they are read, of connections made from now on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or negative.</exception>
    public int ReceiveBufferSize
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    }

    /// <summary>When the last byte of a packet that is given to the wire now has left the sender.</summary>
    internal TimeSpan LeaveTime(SimulatedMachine from, int size)
    {
        var now = from.Network.Clock.Now;
        if (Bandwidth is not { } rate || size == 0) return now;
        ref var busyUntil = ref _busyUntil[from == _first ? 0 : 1];
        if (busyUntil < now) busyUntil = now;
        busyUntil += TimeSpan.FromTicks((long)((Int128)size * TimeSpan.TicksPerSecond / rate));
        return busyUntil;
    }

    /// <summary>How long a packet travels then.</summary>
    internal TimeSpan TravelTime(KernelDice dice) => Latency + dice.Part(Jitter);
}
