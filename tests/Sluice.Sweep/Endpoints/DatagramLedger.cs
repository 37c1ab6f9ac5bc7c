using System.Buffers.Binary;
using System.Net;
using Sluice.Primitives;

namespace Sluice.Sweep.Endpoints;

/// <summary>
/// What an endpoint has sent, and whether what others got is that: each datagram says who sent it and which it is, and each of its bytes depends on both. Owned by its
/// endpoint.
/// </summary>
/// <param name="number">The endpoint's.</param>
internal sealed class DatagramLedger(int number)
{
    private const int Header = 6;
    private const int Longest = 100_000;

    // Each datagram is a part of it: making and comparing bytes one by one would cost more than all else.
    private static readonly byte[] Noise = MakeNoise();

    private readonly List<Sent> _sent = [];
    private readonly Dictionary<Endpoint, int> _last = [];

    /// <summary>How many datagrams were sent.</summary>
    public int Count => _sent.Count;

    /// <summary>Payloads and 8 bytes for each, of all that were sent while the endpoint was open.</summary>
    public long Cost { get; private set; }

    /// <summary>The most that they count against the limit: payloads, entries and names.</summary>
    public long MostHeld => Cost + (_sent.Count * (long)(DatagramQueue.EntrySize + DatagramQueue.NameSize));

    /// <summary>The next datagram, written down as sent.</summary>
    public byte[] Next(int length, EndPoint? to)
    {
        var data = new byte[length];
        Fill(data, _sent.Count);
        _sent.Add(new Sent(length, to));
        Cost += length + 8;
        return data;
    }

    /// <summary>What a datagram that came from this endpoint, as its address says, is not; null where it is what was sent.</summary>
    public string? Judge(Endpoint receiver, ReadOnlySpan<byte> data, bool mayRepeat, bool mayOvertake)
    {
        if (data.Length < Header)
        {
            // Too short to say which it is.
            var length = data.Length;
            if (!_sent.Exists(sent => sent.Length == length && IsFor(sent, receiver))) return $"endpoint {number} has sent no datagram of {length} bytes there";
            return data.IndexOfAnyExcept((byte)number) < 0 ? null : $"a datagram of {length} bytes was changed";
        }

        var (from, index) = NumberOf(data);
        if (from != number) return $"a datagram of endpoint {from} came with the address of endpoint {number}";
        if (index < 0 || index >= _sent.Count) return $"endpoint {number} has not sent a datagram {index}";
        var sent = _sent[index];
        if (sent.Length != data.Length) return $"datagram {index} of endpoint {number} was sent with {sent.Length} bytes and came with {data.Length}";
        if (!IsFilled(data, index)) return $"datagram {index} of endpoint {number} was changed";
        if (!IsFor(sent, receiver)) return $"datagram {index} of endpoint {number} was for {sent.To} and came to {receiver.Address}";
        if (sent.Arrivals++ > 0 && !mayRepeat) return $"datagram {index} of endpoint {number} came twice";
        if (_last.TryGetValue(receiver, out var last) && index < last && !mayOvertake) return $"datagram {index} of endpoint {number} came behind {last}";
        _last[receiver] = Math.Max(last, index);
        return null;
    }

    /// <summary>Who has sent a datagram that says so, or -1; and which it is.</summary>
    public static (int Number, int Index) NumberOf(ReadOnlySpan<byte> data) =>
        data.Length < Header ? (-1, -1) : (BinaryPrimitives.ReadUInt16LittleEndian(data), BinaryPrimitives.ReadInt32LittleEndian(data[2..]));

    private static bool IsFor(Sent sent, Endpoint receiver) => sent.To is null || sent.To.Equals(receiver.Address);

    private static byte[] MakeNoise()
    {
        var noise = new byte[2 * Longest];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private bool IsFilled(ReadOnlySpan<byte> data, int index) => data[Header..].SequenceEqual(NoiseOf(index, data.Length - Header));

    private ReadOnlySpan<byte> NoiseOf(int index, int length) => Noise.AsSpan(((number * 7919) + (index * 31)) % (Noise.Length - Longest), length);

    private void Fill(Span<byte> data, int index)
    {
        data.Fill((byte)number);
        if (data.Length < Header) return;
        BinaryPrimitives.WriteUInt16LittleEndian(data, (ushort)number);
        BinaryPrimitives.WriteInt32LittleEndian(data[2..], index);
        NoiseOf(index, data.Length - Header).CopyTo(data[Header..]);
    }

    /// <summary>A datagram that was sent.</summary>
    private sealed class Sent(int length, EndPoint? to)
    {
        public int Length => length;

        public EndPoint? To => to;

        public int Arrivals { get; set; }
    }
}
