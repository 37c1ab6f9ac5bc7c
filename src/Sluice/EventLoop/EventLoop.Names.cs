using System.Net;
using System.Net.Sockets;
using Sluice.Names;

namespace Sluice;

/// <content>Names of hosts.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Finds the addresses of a host as connects do: through <see cref="EventLoopOptions.Resolver"/>, or the system's resolver off the
    /// loop's thread. Callable from any thread. (asyncio: <c>getaddrinfo</c>.)
    /// </summary>
    /// <param name="host">A name, an address literal, or null for the loopback addresses. Literals of the wanted family are not asked for.</param>
    /// <param name="port">The port of the answers.</param>
    /// <param name="family">The only family wanted: InterNetwork or InterNetworkV6. Unspecified: both.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>At least one address, in the resolver's order.</returns>
    /// <exception cref="ArgumentException">The text cannot be the name of a host, or there is no such port or family.</exception>
    /// <exception cref="SocketException">In the task: the name is not known, or the resolver failed.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<IReadOnlyList<IPEndPoint>> GetAddressInfoAsync(
        string? host, int port, AddressFamily family = AddressFamily.Unspecified, CancellationToken cancellationToken = default)
    {
        var query = AddressQuery.OfHost(host, port, family);
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<IReadOnlyList<IPEndPoint>>(cancellationToken);
        if (query.Known is { } known) return Task.FromResult<IReadOnlyList<IPEndPoint>>([.. known.Cast<IPEndPoint>()]);
        var question = new NameQuestion<IReadOnlyList<IPAddress>>(
            _core, Members, (context, sink) => Services.Names.Resolve(query.Host, query.Family, context, sink), cancellationToken);
        return AskAsync(query, question.Start());

        static async Task<IReadOnlyList<IPEndPoint>> AskAsync(AddressQuery query, Task<IReadOnlyList<IPAddress>> asking) => query.WithPort(await asking);
    }

    /// <summary>
    /// Finds the host name of an address, through <see cref="EventLoopOptions.Resolver"/> or the system's resolver off the loop's
    /// thread. Callable from any thread. (asyncio: <c>getnameinfo</c>; ports stay numbers here.)
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The name with the address's port; the address in digits where it has no name.</returns>
    /// <exception cref="SocketException">In the task: the resolver failed.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<DnsEndPoint> GetNameInfoAsync(IPEndPoint address, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        var question = new NameQuestion<string>(_core, Members, (context, sink) => Services.Names.Reverse(address.Address, context, sink), cancellationToken);
        return AskAsync(address, question.Start());

        static async Task<DnsEndPoint> AskAsync(IPEndPoint address, Task<string> asking)
        {
            try
            {
                return new DnsEndPoint(await asking, address.Port);
            }
            catch (SocketException reason) when (reason.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
            {
                return new DnsEndPoint(address.Address.ToString(), address.Port);
            }
        }
    }
}
