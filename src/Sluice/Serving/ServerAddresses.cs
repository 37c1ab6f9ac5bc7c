using System.Net;
using System.Net.Sockets;
using Sluice.Names;

namespace Sluice.Serving;

/// <summary>The addresses that a server binds, and what is made of those that cannot be; all of its sockets or none. Stateless.</summary>
internal static class ServerAddresses
{
    /// <summary>Where a host listens: every interface where it is null or empty, on a socket for each family.</summary>
    /// <exception cref="ArgumentException">It cannot be the name of a host.</exception>
    public static IReadOnlyList<EndPoint> Of(string? host, int port) =>
        string.IsNullOrEmpty(host) ? [new IPEndPoint(IPAddress.Any, port), new IPEndPoint(IPAddress.IPv6Any, port)] : [new DnsEndPoint(HostName.ToAscii(host, nameof(host)), port)];

    /// <summary>
    /// Binds each address once, in order. What the machine lacks, an address or a whole family, is left out as long as one is left; any other
    /// failure ends it.
    /// </summary>
    /// <exception cref="SocketException">Nothing is bound, and nothing stays open.</exception>
    public static IReadOnlyList<ServerListener> Bind(IReadOnlyList<EndPoint> addresses, Func<EndPoint, ServerListener> bind)
    {
        SocketException? lacking = null;
        var listeners = OpenAll(addresses.Distinct(), address =>
        {
            try
            {
                return bind(address);
            }
            catch (SocketException exception) when (address is IPEndPoint && IsLacking(exception))
            {
                lacking ??= exception;
                return null;
            }
            catch (SocketException exception) when (address is IPEndPoint)
            {
                throw Refused(address, exception);
            }
        });

        if (listeners.Count > 0) return listeners;
        throw new SocketException(
            (int)(lacking?.SocketErrorCode ?? SocketError.AddressNotAvailable), $"could not bind on any address out of {string.Join(", ", addresses)}");
    }

    /// <summary>Opens one after the other, leaving out those that give no listener. Where one fails, those before it are closed.</summary>
    public static IReadOnlyList<ServerListener> OpenAll<T>(IEnumerable<T> sources, Func<T, ServerListener?> open)
    {
        var listeners = new List<ServerListener>();
        try
        {
            foreach (var source in sources)
            {
                if (open(source) is { } listener) listeners.Add(listener);
            }
        }
        catch
        {
            foreach (var listener in listeners) listener.Close();
            throw;
        }

        return listeners;
    }

    /// <summary>The exception for an address that somebody else has, or that this process may not have.</summary>
    public static SocketException Refused(EndPoint address, SocketException reason)
    {
        var code = (int)reason.SocketErrorCode;
        return new SocketException(code, $"error while attempting to bind on address {address}: {new SocketException(code).Message}");
    }

    private static bool IsLacking(SocketException exception) =>
        exception.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported;
}
