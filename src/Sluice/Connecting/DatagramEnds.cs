using System.Net;
using System.Net.Sockets;
using Sluice.Names;

namespace Sluice.Connecting;

/// <summary>
/// The two ends of a datagram endpoint as its user named them: known addresses, names that have to be asked for, or nothing. Made, and refused, where the user calls.
/// </summary>
internal sealed class DatagramEnds
{
    private DatagramEnds(AddressFamily family, AddressQuery? local, AddressQuery? remote, EndPoint? localPath, EndPoint? remotePath)
    {
        Family = family;
        Local = local;
        Remote = remote;
        LocalPath = localPath;
        RemotePath = remotePath;
    }

    /// <summary>The family of an endpoint without addresses; else which addresses of a name are wanted.</summary>
    public AddressFamily Family { get; }

    public AddressQuery? Local { get; }

    public AddressQuery? Remote { get; }

    private EndPoint? LocalPath { get; }

    private EndPoint? RemotePath { get; }

    /// <summary>What the user named, as far as it can be judged without asking for names.</summary>
    /// <exception cref="ArgumentException">No family, an address that cannot be, two of different families, or an option that does not fit.</exception>
    public static DatagramEnds Of(EndPoint? local, EndPoint? remote, DatagramOptions options)
    {
        var family = options.AddressFamily;
        if (family is not (AddressFamily.Unspecified or AddressFamily.InterNetwork or AddressFamily.InterNetworkV6 or AddressFamily.Unix))
        {
            throw new ArgumentOutOfRangeException(nameof(options), family, "Datagram endpoints have InterNetwork, InterNetworkV6 and Unix addresses.");
        }

        if (local is not null) ConnectionRules.CheckAddress(local, nameof(local));
        if (remote is not null) ConnectionRules.CheckAddress(remote, nameof(remote));
        if (local is null && remote is null && family == AddressFamily.Unspecified)
        {
            throw new ArgumentException("Unexpected address family: name a local or a remote address, or a family.", nameof(options));
        }

        if (UnixAddress.Is(local) || UnixAddress.Is(remote) || family == AddressFamily.Unix)
        {
            if (local is not null && !UnixAddress.Is(local)) throw Apart(nameof(local));
            if (remote is not null && !UnixAddress.Is(remote)) throw Apart(nameof(remote));
            if (family is not (AddressFamily.Unspecified or AddressFamily.Unix)) throw Apart(nameof(options));
            if (options.AllowBroadcast || options.ReusePort) throw new ArgumentException("A Unix socket knows neither broadcast nor ports.", nameof(options));
            return new DatagramEnds(AddressFamily.Unix, null, null, local, remote);
        }

        var localQuery = local is null ? null : AddressQuery.Of(local, family, nameof(local));
        var remoteQuery = remote is null ? null : AddressQuery.Of(remote, family, nameof(remote));
        if (localQuery?.Known is { } locals && remoteQuery?.Known is { } remotes && !locals.Any(one => remotes.Any(other => one.AddressFamily == other.AddressFamily)))
        {
            throw Apart(nameof(remote));
        }

        return new DatagramEnds(family, localQuery, remoteQuery, null, null);
    }

    /// <summary>The pairs to try, in order, once the names are known.</summary>
    /// <exception cref="ArgumentException">No local address has the family of a remote one.</exception>
    public IReadOnlyList<(AddressFamily Family, EndPoint? Local, EndPoint? Remote)> Pair(IReadOnlyList<EndPoint>? locals, IReadOnlyList<EndPoint>? remotes)
    {
        if (locals is null && remotes is null) return [(Family, LocalPath, RemotePath)];
        if (remotes is null) return [.. locals!.Select(local => (local.AddressFamily, (EndPoint?)local, (EndPoint?)null))];
        if (locals is null) return [.. remotes.Select(remote => (remote.AddressFamily, (EndPoint?)null, (EndPoint?)remote))];
        (AddressFamily, EndPoint?, EndPoint?)[] pairs =
        [
            .. from remote in remotes
               from local in locals
               where local.AddressFamily == remote.AddressFamily
               select (remote.AddressFamily, (EndPoint?)local, (EndPoint?)remote),
        ];
        return pairs.Length > 0 ? pairs : throw Apart(nameof(remotes));
    }

    private static ArgumentException Apart(string parameter) => new("Cannot get address information: the addresses have no family in common.", parameter);
}
