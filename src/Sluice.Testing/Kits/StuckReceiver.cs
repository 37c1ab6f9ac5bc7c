using System.Net;

namespace Sluice.Testing.Kits;

/// <summary>A receiver that makes senders wait for room, until a check has it take all. Owned by the check's kit.</summary>
internal abstract class StuckReceiver
{
    private readonly List<byte[]> _received = [];

    /// <summary>Where it receives.</summary>
    public abstract EndPoint Address { get; }

    /// <summary>What it has taken, in order.</summary>
    public IReadOnlyList<byte[]> Received => _received;

    /// <summary>From here on it takes what is there at each call.</summary>
    public void Take()
    {
        while (TryTakeOne() is { } datagram) _received.Add(datagram);
    }

    /// <summary>The oldest datagram that is there, or null.</summary>
    protected abstract byte[]? TryTakeOne();
}
