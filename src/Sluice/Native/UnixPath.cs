using System.Text;

namespace Sluice.Native;

/// <summary>The path of a file as the kernel takes it: bytes, which need be no text. Owned by whoever made it; it does not change.</summary>
internal sealed class UnixPath
{
    private readonly byte[] _terminated;

    public UnixPath(ReadOnlySpan<byte> path)
    {
        _terminated = new byte[path.Length + 1];
        path.CopyTo(_terminated);
    }

    /// <summary>The bytes, with a zero behind them.</summary>
    public ReadOnlySpan<byte> Terminated => _terminated;

    public ReadOnlySpan<byte> Bytes => _terminated.AsSpan(..^1);

    /// <summary>The bytes behind the last slash.</summary>
    public ReadOnlySpan<byte> FileName => Bytes[(Bytes.LastIndexOf((byte)'/') + 1)..];

    /// <summary>
    /// The path of the folder that the file lies in, as the path itself names it: it is the kernel that follows its links and then its double dots, and that differs from crossing out
    /// <c>link/..</c> in the text.
    /// </summary>
    public UnixPath Folder
    {
        get
        {
            var slash = Bytes.LastIndexOf((byte)'/');
            return slash < 0 ? Of(".") : new UnixPath(Bytes[..Math.Max(slash, 1)]);
        }
    }

    public static UnixPath Of(string path) => new(Encoding.UTF8.GetBytes(path));

    /// <summary>The same path from the root on: it stays right when the process goes to another folder.</summary>
    public UnixPath From(string folder) =>
        Bytes is [(byte)'/', ..] ? this : new UnixPath([.. Encoding.UTF8.GetBytes(folder), (byte)'/', .. Bytes]);

    /// <summary>As text, for messages.</summary>
    public override string ToString() => Encoding.UTF8.GetString(Bytes);
}
