using System.Net;
using System.Net.Sockets;

namespace Sluice;

/// <summary>
/// Where a loop takes the addresses of host names from, in place of the system's resolver: <see cref="EventLoopOptions.Resolver"/>. Its
/// methods are called on the loop's thread and must not block it; their tasks may complete on any thread.
/// </summary>
/// <remarks>
/// Address literals are never asked for, unless the caller wants another family than the literal's. An exception, thrown at once or by the
/// task, comes out of the call that needed the name. An answer that comes after the caller gave up, or after the loop's end, is dropped.
/// </remarks>
public abstract class NameResolver
{
    /// <summary>Finds the addresses of a host. (asyncio: what <c>getaddrinfo</c> asks the system.)</summary>
    /// <param name="host">The name, in ASCII: at most 253 characters, international names in their encoded form.</param>
    /// <param name="family">The only family to answer with; <see cref="AddressFamily.Unspecified"/> for all. Addresses of another are left out.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the answer any more.</param>
    /// <returns>The addresses, in the order in which they should be tried. None at all is the same as <see cref="SocketError.HostNotFound"/>.</returns>
    public abstract Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken);

    /// <summary>
    /// Finds the host name of an address. Unless overridden, no address has one. (asyncio: what <c>getnameinfo</c> asks the system.)
    /// </summary>
    /// <param name="address">The address.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the answer any more.</param>
    /// <returns>The name; the task fails with <see cref="SocketError.HostNotFound"/> where there is none.</returns>
    public virtual Task<string> ReverseAsync(IPAddress address, CancellationToken cancellationToken) =>
        Task.FromException<string>(new SocketException((int)SocketError.HostNotFound));
}
