using System.Security.Cryptography;
using System.Text;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.UnixFiles;

/// <summary>
/// The right to look at, replace and bind one Unix path, among all processes that use this library. Owned by whoever is about to
/// listen there, from before its bind until it listens.
/// </summary>
/// <remarks>
/// The lock is a socket with an abstract name, which is derived from the path: to bind it is atomic, it leaves no file behind, and the
/// kernel frees it with its descriptor, however the process ends. The name has the folder's device and inode and a digest of the file's
/// name, so all ways to spell a path lead to one lock. Abstract names belong to a network namespace: processes in different ones do not exclude each other. They
/// have no permissions either: another user can take the name and so keep a server from starting, though not get its place.
/// </remarks>
internal sealed class UnixPathLock : IDisposable
{
    private const int DigestLength = 16;

    private readonly SafeFd _fd;

    private UnixPathLock(SafeFd fd) => _fd = fd;

    /// <summary>Takes the lock without waiting.</summary>
    /// <param name="system">The kernel.</param>
    /// <param name="path">The path of the socket's file.</param>
    /// <param name="error">Why not; <see cref="IoError.AddressInUse"/> where another has it.</param>
    public static UnixPathLock? TryTake(Syscalls system, UnixPath path, out IoError error)
    {
        var folder = system.Status(path.Folder, out error, followsLink: true);
        if (!error.IsNone) return null;
        var number = system.StreamSocket(SocketConstants.FamilyUnix, out error);
        if (!error.IsNone) return null;
        var fd = new SafeFd(system, number);
        error = system.Bind(number, NameOf(folder.Identity, path.FileName));
        if (error.IsNone) return new UnixPathLock(fd);
        fd.Dispose();
        return null;
    }

    public void Dispose() => _fd.Dispose();

    private static byte[] NameOf(FileIdentity folder, ReadOnlySpan<byte> file)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(file).AsSpan(0, DigestLength));
        var name = $"\0sluice/{folder.DeviceMajor:x}:{folder.DeviceMinor:x}/{folder.Inode:x}/{digest}";
        return [.. BitConverter.GetBytes((ushort)SocketConstants.FamilyUnix), .. Encoding.UTF8.GetBytes(name)];
    }
}
