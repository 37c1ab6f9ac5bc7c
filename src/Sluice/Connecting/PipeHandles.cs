using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends;

namespace Sluice.Connecting;

/// <summary>The descriptors that a user may give for one end of a pipe, checked at the call. Stateless.</summary>
internal static class PipeHandles
{
    /// <exception cref="ArgumentException">The stream shows no descriptor.</exception>
    public static SafeHandle Of(Stream pipe) => pipe switch
    {
        null => throw new ArgumentNullException(nameof(pipe)),
        FileStream file => file.SafeFileHandle,
        PipeStream end => end.SafePipeHandle,
        NetworkStream network => network.Socket.SafeHandle,
        _ => throw new ArgumentException(
            $"A {pipe.GetType()} shows no descriptor: give a FileStream, a PipeStream, a NetworkStream or a handle. For the standard streams see OpenStandardInput.", nameof(pipe)),
    };

    public static SafeHandle Of(Socket pipe)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        return pipe.SafeHandle;
    }

    /// <exception cref="ArgumentException">It is no pipe, or not open in this direction.</exception>
    public static void Check(IoBackend backend, SafeHandle handle, PipeEnd end, string parameter)
    {
        ArgumentNullException.ThrowIfNull(handle, parameter);
        if (backend.CanBePipe(handle, end)) return;
        throw new ArgumentException(
            $"A pipe, a socket or a character device is needed, open for {(end == PipeEnd.Read ? "reading" : "writing")}. " +
            "A regular file is none: it is always ready, so a loop has nothing to wait for.", parameter);
    }
}
