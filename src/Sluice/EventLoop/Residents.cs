using Sluice.Subprocesses;
using Sluice.Transports;

namespace Sluice;

/// <summary>Something that lives on a loop and must not outlast it: a server, a connect or an invocation under way, a watch.</summary>
internal interface IResident
{
    /// <summary>The loop ends. On its thread.</summary>
    void EndWithLoop();
}

/// <summary>
/// What lives on a loop: its servers, its own connections, and operations under way. Owned by the loop. Added to on its thread; removed from any
/// thread, because an operation may outlive the loop that it began on.
/// </summary>
internal sealed class Residents
{
    private readonly Lock _gate = new();
    private readonly HashSet<IResident> _members = [];

    /// <summary>The connections that belong to no server.</summary>
    public ConnectionSet Connections { get; } = new();

    /// <summary>The datagram endpoints.</summary>
    public HashSet<DatagramTransport> Endpoints { get; } = [];

    /// <summary>Its child processes.</summary>
    public SubprocessSet Children { get; } = new();

    public void Add(IResident member)
    {
        lock (_gate) _members.Add(member);
    }

    public void Remove(IResident member)
    {
        lock (_gate) _members.Remove(member);
    }

    public IReadOnlyList<T> Snapshot<T>() where T : IResident
    {
        lock (_gate) return [.. _members.OfType<T>()];
    }

    /// <summary>All live transports, those of servers and the pipes of children included.</summary>
    public IEnumerable<ILoopTransport> Transports() =>
        [.. Snapshot<Server>().SelectMany(server => server.Transports()), .. Connections.Snapshot(), .. Children.Pipes(), .. Endpoints];
}
