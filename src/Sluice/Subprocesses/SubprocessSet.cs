using Sluice.Transports;

namespace Sluice.Subprocesses;

/// <summary>The children of one loop. Owned by the loop's members; on its thread.</summary>
internal sealed class SubprocessSet
{
    private readonly HashSet<SubprocessTransport> _members = [];

    public void Add(SubprocessTransport transport) => _members.Add(transport);

    public void Remove(SubprocessTransport transport) => _members.Remove(transport);

    /// <summary>The members as they are now: what is done to them may change the set.</summary>
    public SubprocessTransport[] Snapshot() => [.. _members];

    /// <summary>The pipes of all of them.</summary>
    public IEnumerable<StreamTransport> Pipes() => _members.SelectMany(static member => member.Pipes());
}
