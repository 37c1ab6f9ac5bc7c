using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Kernel;

/// <summary>The names that all hosts of a simulation can resolve. Owned by the network.</summary>
/// <remarks>
/// A host's own name is its IPv4 address, and its IPv6 address only to those who ask for that family: most programs of a simulation
/// listen at one. A name with addresses of both is added.
/// </remarks>
internal sealed class NameTable(SimulatedNetwork network)
{
    private readonly Dictionary<string, IPAddress[]> _added = new(StringComparer.OrdinalIgnoreCase);

    public void Add(string name, IPAddress[] addresses) => _added[name] = addresses;

    /// <summary>The addresses of a name in a family, or null.</summary>
    public IReadOnlyList<IPAddress>? Find(string name, AddressFamily family)
    {
        IPAddress[] addresses = [.. All(name, family).Where(address => family == AddressFamily.Unspecified || address.AddressFamily == family)];
        return addresses.Length > 0 ? addresses : null;
    }

    /// <summary>The name of an address, or null.</summary>
    public string? Find(IPAddress address)
    {
        if (IPAddress.IsLoopback(address)) return "localhost";
        return network.Machines.FirstOrDefault(host => host.HasAddress(address))?.Name
            ?? _added.FirstOrDefault(entry => entry.Value.Contains(address)).Key;
    }

    private IPAddress[] All(string name, AddressFamily family)
    {
        if (IPAddress.TryParse(name, out var literal)) return [literal];
        if (_added.TryGetValue(name, out var added)) return added;
        var wantsV6 = family == AddressFamily.InterNetworkV6;
        if (string.Equals(name, "localhost", StringComparison.OrdinalIgnoreCase)) return [wantsV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback];
        var host = network.Machines.FirstOrDefault(host => string.Equals(host.Name, name, StringComparison.OrdinalIgnoreCase));
        return host is null ? [] : [wantsV6 ? host.AddressV6 : host.Address];
    }
}
