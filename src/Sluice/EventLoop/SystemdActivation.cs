using System.Diagnostics.CodeAnalysis;
using Sluice.Serving;

namespace Sluice;

/// <summary>
/// Socket activation: a service manager listens, starts this program when the first peer comes, and hands over the listening sockets. It follows systemd's
/// protocol (<c>LISTEN_PID</c>, <c>LISTEN_FDS</c>, <c>LISTEN_FDNAMES</c>). (asyncio has no counterpart.)
/// </summary>
/// <remarks>
/// The environment is read at the first use, once. The variables are removed then, and the descriptors closed in programs that this one starts, so that none of them takes
/// the sockets for its own. Callable from any thread.
/// </remarks>
public static class SystemdActivation
{
    private static readonly Lazy<HandedOverSockets> Sockets = new(static () => HandedOverSockets.TakeFromEnvironment());

    extension(ServerOptions)
    {
        /// <summary>
        /// Options that carry the listening sockets which this process was started with, for
        /// <c>EventLoop.CreateServerAsync(factory, options)</c>. Add what else you want: <c>ServerOptions.FromSystemd() with { KeepAlive = true }</c>.
        /// </summary>
        /// <param name="name">Only the sockets of this name (<c>FileDescriptorName=</c> of the socket unit), or null for all.</param>
        /// <exception cref="InvalidOperationException">
        /// The process was not started with sockets, none has this name, or one of them is no listening stream socket. The message says which.
        /// </exception>
        public static ServerOptions FromSystemd(string? name = null) => new() { HandedOver = Sockets.Value.Select(name) };

        /// <summary>As <c>FromSystemd</c>, for programs that also run by themselves.</summary>
        /// <param name="options">Options that carry the sockets; null where there are none.</param>
        /// <param name="name">Only the sockets of this name, or null for all.</param>
        /// <returns>False where the process was not started with sockets, or none has this name.</returns>
        /// <exception cref="InvalidOperationException">
        /// The variables are malformed, or a socket is no listening stream socket: the process was meant to be activated, and was not in order.
        /// </exception>
        public static bool TryFromSystemd([NotNullWhen(true)] out ServerOptions? options, string? name = null)
        {
            options = Sockets.Value.Has(name) ? new ServerOptions { HandedOver = Sockets.Value.Select(name) } : null;
            return options is not null;
        }
    }
}
