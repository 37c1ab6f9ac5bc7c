using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>
/// The file of a listening Unix socket: made with the right permissions from its first moment, and removed by the listener that made
/// it, never by another. Owned by its listener.
/// </summary>
internal sealed class UnixSocketFile
{
    private readonly Syscalls _system;
    private readonly string _path;
    private readonly FileIdentity _identity;

    private UnixSocketFile(Syscalls system, string path, FileIdentity identity)
    {
        _system = system;
        _path = path;
        _identity = identity;
    }

    /// <summary>Binds the socket to the path. A file that a dead server left there is replaced; a live server's, or any other file, is not.</summary>
    /// <remarks>
    /// Between the look at a dead server's file and its removal another process may put its own there: two servers that start at once
    /// on one stale path can still collide. A lock file would close the gap and leave a second file behind.
    /// </remarks>
    /// <exception cref="System.Net.Sockets.SocketException">The path is taken, or cannot be bound.</exception>
    public static UnixSocketFile Bind(Syscalls system, int fd, string path, ReadOnlySpan<byte> address, UnixFileMode mode)
    {
        // bind gives the file the mode of the socket's own inode, less the umask. Setting that first leaves no moment at which a
        // stranger could connect.
        var error = system.SetMode(fd, mode);
        if (error.IsNone) error = system.Bind(fd, address);
        if (error == IoError.AddressInUse && IsStale(system, path, address))
        {
            error = system.Unlink(path);
            if (error.IsNone || error == IoError.NoEntry) error = system.Bind(fd, address);
        }

        if (!error.IsNone) throw error.ToException($"listen on {path}");
        var status = system.Status(path, out error);
        if (!error.IsNone) throw error.ToException($"listen on {path}");
        return new UnixSocketFile(system, Path.GetFullPath(path), status.Identity);
    }

    /// <summary>Removes the file, unless something else has taken its place.</summary>
    public void Remove()
    {
        var status = _system.Status(_path, out var error);
        if (error.IsNone && status.Identity == _identity) _system.Unlink(_path);
    }

    // Only a refused connection proves that nobody listens. A full backlog, a lack of permission or any other answer does not.
    private static bool IsStale(Syscalls system, string path, ReadOnlySpan<byte> address)
    {
        var status = system.Status(path, out var error);
        if (!error.IsNone || !status.IsSocket) return false;
        var fd = system.StreamSocket(SocketConstants.FamilyUnix, out error);
        if (!error.IsNone) return false;
        using var probe = new SafeFd(system, fd);
        return system.Connect(fd, address) == IoError.ConnectionRefused;
    }
}
