namespace Sluice.Tls;

/// <summary>
/// The buffers that all TLS connections of a loop share: none of them keeps bytes there beyond a call. One per loop; a TLS transport whose lower one is not
/// the library's socket transport has its own, because nobody knows when that calls.
/// </summary>
internal sealed class TlsWorkspace
{
    /// <summary>The most plaintext in one record.</summary>
    public const int RecordSize = 16 * 1024;

    private const int BatchSize = 64 * 1024;

    private byte[]? _ciphertext;
    private byte[]? _plaintext;
    private byte[]? _record;

    /// <summary>Where the transport below puts what it receives.</summary>
    public byte[] Ciphertext => _ciphertext ??= new byte[BatchSize];

    /// <summary>Where received bytes lie decrypted.</summary>
    public byte[] Plaintext => _plaintext ??= new byte[BatchSize];

    /// <summary>Where bytes are gathered that become one record.</summary>
    public byte[] Record => _record ??= new byte[RecordSize];
}
