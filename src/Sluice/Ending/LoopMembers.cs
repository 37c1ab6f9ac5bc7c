using Sluice.Subprocesses;
using Sluice.Transports;

namespace Sluice.Ending;

/// <summary>
/// What lives on a loop: its servers, its own connections, and operations under way. Owned by the loop. Added to on its thread; removed from any
/// thread, because an operation may outlive the loop that it began on.
/// </summary>
internal sealed class LoopMembers
{
    private readonly Lock _gate = new();
    private readonly HashSet<ILoopMember> _members = [];

    /// <summary>The connections that belong to no server.</summary>
    public ConnectionSet Connections { get; } = new();

    /// <summary>The datagram endpoints.</summary>
    public HashSet<DatagramTransport> Endpoints { get; } = [];

    /// <summary>Its child processes.</summary>
    public SubprocessSet Children { get; } = new();

    public void Add(ILoopMember member)
    {
        lock (_gate) _members.Add(member);
    }

    public void Remove(ILoopMember member)
    {
        lock (_gate) _members.Remove(member);
    }

    public IReadOnlyList<ILoopMember> Snapshot()
    {
        lock (_gate) return [.. _members];
    }

    public IReadOnlyList<ILoopMember> Snapshot(EndStage stage)
    {
        lock (_gate) return [.. _members.Where(member => member.Stage == stage)];
    }

    /// <summary>All live transports, those of servers and the pipes of children included.</summary>
    public IEnumerable<ILoopTransport> Transports() =>
        [.. Snapshot().SelectMany(static member => member.Transports), .. Connections.Snapshot(), .. Children.Pipes(), .. Endpoints];
}
