using System.Buffers;
using System.Security.Cryptography;

namespace Sluice.ParityTests.Playing;

/// <summary>What one actor saw and did, in order. Bytes that follow each other are one entry, however the kernel cut them. Owned by its world.</summary>
internal sealed class ActorTrace
{
    private readonly List<string> _entries = [];
    private readonly ArrayBufferWriter<byte> _run = new();

    public IReadOnlyList<string> Entries => _entries;

    public void Note(string entry)
    {
        EndRun();
        _entries.Add(entry);
    }

    public void Data(ReadOnlySpan<byte> data) => _run.Write(data);

    /// <summary>Ends an entry of bytes: their number and the beginning of their hash.</summary>
    public void EndRun()
    {
        if (_run.WrittenCount == 0) return;
        _entries.Add($"data {_run.WrittenCount} {Convert.ToHexStringLower(SHA256.HashData(_run.WrittenSpan))[..8]}");
        _run.ResetWrittenCount();
    }
}
