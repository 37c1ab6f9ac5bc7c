using Sluice.Testing.Kernel.Links;

namespace Sluice.Sweep.Tls;

/// <summary>Follows what an end gives to the wire, and finds whatever is no TLS record. Owned by the end's wire.</summary>
internal sealed class RecordReader
{
    private const int HeaderSize = 5;
    private const int LongestRecord = (16 * 1024) + 256;

    private readonly byte[] _header = new byte[HeaderSize];
    private readonly byte[] _rest = new byte[4096];
    private int _headerLength;
    private int _left;

    /// <summary>Takes all that the log holds.</summary>
    /// <returns>What is wrong, or null.</returns>
    public string? Take(ByteRing log)
    {
        while (log.Count > 0)
        {
            if (_left > 0)
            {
                var part = _rest.AsSpan(0, Math.Min(_rest.Length, Math.Min(_left, log.Count)));
                log.Take(part);
                _left -= part.Length;
                continue;
            }

            log.Take(_header.AsSpan(_headerLength, 1));
            if (++_headerLength < HeaderSize) continue;
            _headerLength = 0;
            _left = (_header[3] << 8) | _header[4];
            if (_header[0] is < 20 or > 23 || _header[1] != 3 || _left > LongestRecord) return $"no TLS record begins with {Convert.ToHexString(_header)}";
        }

        return null;
    }
}
