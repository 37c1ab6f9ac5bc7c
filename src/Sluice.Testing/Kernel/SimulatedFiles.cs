using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Kernel;

/// <summary>The files of one simulated host, as far as Unix sockets are concerned: what lies at a path, and which file it is. Owned by the machine: they outlive a crash.</summary>
internal sealed class SimulatedFiles
{
    private readonly Dictionary<string, SimulatedFile> _files = [];
    private long _lastInode;

    /// <summary>The path in an address, or null where it is none or an abstract name.</summary>
    public static string? PathOf(EndPoint address)
    {
        // Of text there is one spelling; the zero keeps the bytes that are none apart from it.
        if (address is RawUnixEndPoint raw) return raw.IsAbstract ? null : $"{raw}\0";
        if (address is not UnixDomainSocketEndPoint name) return null;
        var serialized = name.Serialize();
        return serialized.Buffer.Span[2..serialized.Size] is [0, ..] ? null : name.ToString();
    }

    public SimulatedFile? Find(string path) => _files.GetValueOrDefault(path);

    /// <summary>Puts a new file at a path where nothing lies.</summary>
    public SimulatedFile Create(string path, bool isSocket)
    {
        var file = new SimulatedFile(++_lastInode, isSocket);
        _files.Add(path, file);
        return file;
    }

    public void Remove(string path) => _files.Remove(path);
}

/// <summary>One file, known by its inode.</summary>
/// <param name="Inode">No other file of the host ever has it.</param>
/// <param name="IsSocket">A socket's, and not a regular one.</param>
internal sealed record SimulatedFile(long Inode, bool IsSocket);
