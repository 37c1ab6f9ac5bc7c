using System.Buffers;
using System.Security.Cryptography;

namespace Sluice.ParityTests.Playing;

/// <summary>What one actor saw and did, in order. Bytes that follow each other are one entry, however the kernel cut them. Owned by its world.</summary>
internal sealed class ActorTrace
{
    private readonly List<string> _entries = [];
    private readonly ArrayBufferWriter<byte> _run = new();

    public IReadOnlyList<string> Entries => _entries;

    /// <summary>Bytes as an entry tells of them: their number and the beginning of their hash.</summary>
    public static string Describe(ReadOnlySpan<byte> data) => $"{data.Length} {Convert.ToHexStringLower(SHA256.HashData(data))[..8]}";

    public void Note(string entry)
    {
        EndRun();
        _entries.Add(entry);
    }

    public void Data(ReadOnlySpan<byte> data) => _run.Write(data);

    /// <summary>Ends an entry of bytes.</summary>
    public void EndRun()
    {
        if (_run.WrittenCount == 0) return;
        _entries.Add($"data {Describe(_run.WrittenSpan)}");
        _run.ResetWrittenCount();
    }
}
