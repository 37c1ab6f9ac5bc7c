using System.Net.Sockets;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.UnixFiles;

/// <summary>
/// The file of a listening Unix socket: made with the right permissions from its first moment, guarded until its listener listens, and
/// removed by the listener that made it, never by another. Owned by its listener.
/// </summary>
/// <remarks>
/// A socket that is bound and does not listen yet looks just like one whose server has died: both refuse to be connected to. So whoever looks at a path,
/// removes a dead server's file and binds does it under the <see cref="UnixPathLock"/>, and keeps that until it listens.
/// </remarks>
internal sealed class UnixSocketFile
{
    private readonly Syscalls _system;
    private readonly UnixPath _path;
    private readonly FileIdentity _identity;
    private readonly bool _isRemovedAtClose;
    private UnixPathLock? _lock;

    private UnixSocketFile(Syscalls system, UnixPath path, FileIdentity identity, UnixPathLock? pathLock, bool isRemovedAtClose)
    {
        _system = system;
        _path = path;
        _identity = identity;
        _lock = pathLock;
        _isRemovedAtClose = isRemovedAtClose;
        if (system.Status(path.Folder, out var error, followsLink: true).IsFreeForAll && error.IsNone)
        {
            Warning = $"Everyone may write to the folder of the Unix socket '{path}': any user can put another socket in its place. Use a folder of your own, or set its sticky bit.";
        }
    }

    /// <summary>What is wrong with the place, or null.</summary>
    public string? Warning { get; }

    /// <summary>Binds the socket to the path. A file that a dead server left there is replaced; a live server's, or any other file, is not.</summary>
    /// <exception cref="SocketException">The path is taken, or cannot be bound.</exception>
    public static UnixSocketFile Bind(Syscalls system, int fd, UnixPath path, ReadOnlySpan<byte> address, ServerOptions options) =>
        Bind(system, fd, path, address, options.UnixSocketMode, options.CleanupSocket, isDatagram: false);

    /// <summary>The same for a datagram socket, which lives from its bind on: nothing guards its file after that.</summary>
    /// <exception cref="SocketException">The path is taken, or cannot be bound.</exception>
    public static UnixSocketFile BindDatagram(Syscalls system, int fd, UnixPath path, ReadOnlySpan<byte> address, UnixFileMode mode)
    {
        var file = Bind(system, fd, path, address, mode, isRemovedAtClose: true, isDatagram: true);
        file.Leave();
        return file;
    }

    private static UnixSocketFile Bind(
        Syscalls system, int fd, UnixPath path, ReadOnlySpan<byte> address, UnixFileMode mode, bool isRemovedAtClose, bool isDatagram)
    {
        if (UnixPathLock.TryTake(system, path, out var error) is not { } pathLock) throw Failure(path, error);
        try
        {
            // bind gives the file the mode of the socket's own inode, less the umask. Setting that first leaves no moment at which
            // another user could connect; what the umask took away is given back below.
            error = system.SetMode(fd, mode);
            if (error.IsNone) error = system.Bind(fd, address);
            if (error == IoError.AddressInUse && IsStale(system, path, address, isDatagram))
            {
                error = system.Unlink(path);
                if (error.IsNone || error == IoError.NoEntry) error = system.Bind(fd, address);
            }

            if (!error.IsNone) throw Failure(path, error);
            var status = system.Status(path, out error);
            if (error.IsNone && status.Permissions != mode) error = system.SetMode(path, status.Identity, mode);
            if (!error.IsNone)
            {
                system.Unlink(path);
                throw Failure(path, error);
            }

            return new UnixSocketFile(system, Lasting(system, path), status.Identity, pathLock, isRemovedAtClose);
        }
        catch
        {
            pathLock.Dispose();
            throw;
        }
    }

    /// <summary>The file of a socket that somebody else has bound, or null where nothing lies at its path any more.</summary>
    public static UnixSocketFile? Find(Syscalls system, UnixPath path, ServerOptions options)
    {
        var status = system.Status(path, out var error);
        if (!error.IsNone || !status.IsSocket) return null;
        var pathLock = UnixPathLock.TryTake(system, path, out _);
        return new UnixSocketFile(system, Lasting(system, path), status.Identity, pathLock, options.CleanupSocket);
    }

    /// <summary>The listener listens: whoever looks at the path now can see that it lives.</summary>
    public void OnListening() => Leave();

    /// <summary>The listener closes: the file goes, or stays as the options say.</summary>
    public void OnClosing()
    {
        if (_isRemovedAtClose) Remove();
        else Leave();
    }

    /// <summary>Removes the file, unless something else has taken its place.</summary>
    public void Remove()
    {
        var status = _system.Status(_path, out var error);
        if (error.IsNone && status.Identity == _identity) _system.Unlink(_path);
        Leave();
    }

    /// <summary>Lets others look at the path, and leaves the file where it is.</summary>
    public void Leave()
    {
        _lock?.Dispose();
        _lock = null;
    }

    // Only a refused connection proves that nobody listens. A full backlog, a lack of permission, a socket of another type or any other answer does not.
    private static bool IsStale(Syscalls system, UnixPath path, ReadOnlySpan<byte> address, bool isDatagram)
    {
        var status = system.Status(path, out var error);
        if (!error.IsNone || !status.IsSocket) return false;
        var fd = isDatagram ? system.DatagramSocket(SocketConstants.FamilyUnix, out error) : system.StreamSocket(SocketConstants.FamilyUnix, out error);
        if (!error.IsNone) return false;
        using var probe = new SafeFd(system, fd);
        return system.Connect(fd, address) == IoError.ConnectionRefused;
    }

    // The process may go to another folder before the file is removed. Where the text of the folder does not lead back to it, the path stays as it was given.
    private static UnixPath Lasting(Syscalls system, UnixPath path)
    {
        var lasting = path.From(Environment.CurrentDirectory);
        var (given, found) = (system.Status(path, out var error), system.Status(lasting, out var otherError));
        return error.IsNone && otherError.IsNone && given.Identity == found.Identity ? lasting : path;
    }

    private static SocketException Failure(UnixPath path, IoError error) => error == IoError.AddressInUse
        ? new SocketException((int)SocketError.AddressAlreadyInUse, $"Address '{path}' is already in use")
        : error.ToException($"bind {path}");
}
