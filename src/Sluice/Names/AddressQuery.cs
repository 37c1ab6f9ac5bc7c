using System.Net;
using System.Net.Sockets;

namespace Sluice.Names;

/// <summary>What somebody wants the addresses of: known ones, or a name that has to be asked for. Made, and refused, where the user calls.</summary>
internal sealed class AddressQuery
{
    private AddressQuery(IReadOnlyList<EndPoint>? known, string host, int port, AddressFamily family)
    {
        Known = known;
        Host = host;
        Port = port;
        Family = family;
    }

    /// <summary>The addresses, or null where the name has to be asked for.</summary>
    public IReadOnlyList<EndPoint>? Known { get; }

    public string Host { get; }

    public int Port { get; }

    public AddressFamily Family { get; }

    /// <summary>A host by name or literal; null is this machine, by the loopback addresses of both families.</summary>
    /// <exception cref="ArgumentException">It cannot be the name of a host, or there is no such port or family.</exception>
    public static AddressQuery OfHost(string? host, int port, AddressFamily family, string parameter = "host")
    {
        if (port is < IPEndPoint.MinPort or > IPEndPoint.MaxPort) throw new ArgumentOutOfRangeException(nameof(port), port, "There is no such port.");
        CheckFamily(family);
        if (host is null)
        {
            IPEndPoint[] loopback = [new(IPAddress.IPv6Loopback, port), new(IPAddress.Loopback, port)];
            return new AddressQuery([.. loopback.Where(address => Fits(address.AddressFamily, family))], string.Empty, port, family);
        }

        // A literal of another family is no address that is wanted, but a resolver may know one for it.
        var name = HostName.ToAscii(host, parameter);
        return IPAddress.TryParse(name, out var literal) && Fits(literal.AddressFamily, family)
            ? new AddressQuery([new IPEndPoint(literal, port)], name, port, family)
            : new AddressQuery(null, name, port, family);
    }

    /// <summary>An address, which may be a name. Whether a socket can have it is checked before.</summary>
    /// <exception cref="ArgumentException">It has another family than is asked for, cannot be the name of a host, or there is no such family.</exception>
    public static AddressQuery Of(EndPoint address, AddressFamily family, string parameter)
    {
        if (address is DnsEndPoint name)
        {
            return OfHost(name.Host, name.Port, family == AddressFamily.Unspecified ? name.AddressFamily : family, parameter);
        }

        CheckFamily(family);
        if (!Fits(address.AddressFamily, family)) throw new ArgumentException($"{address} is no {family} address.", parameter);
        return new AddressQuery([address], string.Empty, 0, family);
    }

    /// <summary>The answer to the name, as addresses to connect to.</summary>
    public IReadOnlyList<IPEndPoint> WithPort(IReadOnlyList<IPAddress> addresses) =>
        [.. addresses.Select(address => new IPEndPoint(address, Port))];

    public static bool Fits(AddressFamily family, AddressFamily wanted) => wanted == AddressFamily.Unspecified || wanted == family;

    private static void CheckFamily(AddressFamily family)
    {
        if (family is not (AddressFamily.Unspecified or AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            throw new ArgumentOutOfRangeException(nameof(family), family, "Hosts have addresses of InterNetwork and InterNetworkV6.");
        }
    }
}
