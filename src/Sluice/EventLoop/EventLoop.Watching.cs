using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Watching;

namespace Sluice;

/// <content>Watching descriptors that no transport owns.</content>
public sealed partial class EventLoop
{
    private DescriptorWatches? _watches;

    private DescriptorWatches Watches => _watches ??= new DescriptorWatches(_core, Members);

    /// <summary>
    /// Calls back in each pass in which the descriptor can be read, until it is removed. A second call replaces the callback. What the callback throws
    /// goes to the exception handler; the watch stays. (asyncio: <c>add_reader</c>.)
    /// </summary>
    /// <param name="handle">A socket, pipe or other descriptor that the kernel can watch. It stays yours: remove it here before you close it.</param>
    /// <param name="callback">Called on the loop's thread, in this caller's ExecutionContext.</param>
    /// <returns>Its cancellation removes the reader.</returns>
    /// <exception cref="InvalidOperationException">A transport uses the descriptor, or called off the loop's thread.</exception>
    /// <exception cref="SocketException">The kernel cannot watch it (a regular file).</exception>
    /// <exception cref="NotSupportedException">The backend cannot watch descriptors.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Handle AddReader(SafeHandle handle, Action callback) => Watches.Add(handle, callback, forReading: true);

    /// <inheritdoc cref="AddReader(SafeHandle, Action)"/>
    public Handle AddReader(Socket socket, Action callback) => AddReader(HandleOf(socket), callback);

    /// <summary>As <see cref="AddReader(SafeHandle, Action)"/>, for writing. (asyncio: <c>add_writer</c>.)</summary>
    /// <inheritdoc cref="AddReader(SafeHandle, Action)"/>
    public Handle AddWriter(SafeHandle handle, Action callback) => Watches.Add(handle, callback, forReading: false);

    /// <inheritdoc cref="AddWriter(SafeHandle, Action)"/>
    public Handle AddWriter(Socket socket, Action callback) => AddWriter(HandleOf(socket), callback);

    /// <summary>Ends the watch for reading.</summary>
    /// <param name="handle">The descriptor.</param>
    /// <returns>True where there was one; false also once the loop has ended.</returns>
    /// <exception cref="InvalidOperationException">A transport uses the descriptor, or called off the loop's thread.</exception>
    public bool RemoveReader(SafeHandle handle) => Watches.Remove(handle, forReading: true);

    /// <inheritdoc cref="RemoveReader(SafeHandle)"/>
    public bool RemoveReader(Socket socket) => RemoveReader(HandleOf(socket));

    /// <summary>Ends the watch for writing.</summary>
    /// <inheritdoc cref="RemoveReader(SafeHandle)"/>
    public bool RemoveWriter(SafeHandle handle) => Watches.Remove(handle, forReading: false);

    /// <inheritdoc cref="RemoveWriter(SafeHandle)"/>
    public bool RemoveWriter(Socket socket) => RemoveWriter(HandleOf(socket));

    private static SafeSocketHandle HandleOf(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return socket.SafeHandle;
    }
}
