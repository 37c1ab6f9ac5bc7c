using System.Globalization;
using System.Numerics;

namespace Sluice.Testing.Kernel;

/// <summary>
/// What happens in a simulation: a running hash of everything, and the last events as records that become text only when somebody asks. Owned by the
/// network.
/// </summary>
internal sealed class EventTrace(VirtualClock clock, int length)
{
    private const ulong Odd = 0x9E3779B97F4A7C15;
    private const int FirstSize = 16;

    private Entry[] _ring = [];
    private long _count;

    /// <summary>Of numbers only: the same in every process.</summary>
    public ulong Hash { get; private set; } = Odd;

    /// <param name="what">What happened.</param>
    /// <param name="id">The socket, the machine or the loop: a number that the same run gives again.</param>
    /// <param name="value">Bytes, a time or the like.</param>
    /// <param name="subject">What describes itself in the text.</param>
    /// <param name="packet">Of packets: what they are for.</param>
    /// <param name="verdict">Of packets: what became of them.</param>
    public void Add(KernelEvent what, int id, long value = 0, object? subject = null, PacketKind packet = default, Verdict verdict = default)
    {
        var now = clock.Now;
        var head = ((ulong)(uint)id << 24) | ((ulong)packet << 16) | ((ulong)verdict.Outcome << 8) | (ulong)what;
        Hash = (BitOperations.RotateLeft((Hash ^ head) * Odd, 29) ^ (ulong)now.Ticks ^ ((ulong)value << 32) ^ (ulong)value) * Odd;
        if (length == 0 || what == KernelEvent.Pass) return;
        if (_count == _ring.Length && _ring.Length < length) Array.Resize(ref _ring, Math.Min(length, Math.Max(FirstSize, 2 * _ring.Length)));
        _ring[_count++ % _ring.Length] = new Entry(now, what, id, value, subject, packet, verdict);
    }

    public string[] Render()
    {
        var kept = (int)Math.Min(_count, _ring.Length);
        var lines = new string[kept];
        for (var i = 0; i < kept; i++) lines[i] = _ring[(_count - kept + i) % _ring.Length].ToString();
        return lines;
    }

    private readonly record struct Entry(TimeSpan Time, KernelEvent What, int Id, long Value, object? Subject, PacketKind Kind, Verdict Verdict)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time.TotalSeconds:F7} {Describe()}");

        private string Describe() => What switch
        {
            KernelEvent.ClockJump => "the clock jumps here",
            KernelEvent.Connect => $"{Subject} begins",
            KernelEvent.Packet => $"{Subject} sends {Kind}{(Value > 0 ? $" of {Value} bytes" : "")}{(Verdict == default ? "" : $": {Verdict}")}",
            KernelEvent.Delivery => $"{Subject} gets {Kind}{(Value > 0 ? $" of {Value} bytes" : "")}",
            KernelEvent.Accept => $"{Subject} is accepted",
            KernelEvent.Read => $"{Subject} reads {Value} bytes",
            KernelEvent.Write => $"{Subject} writes {Value} bytes",
            KernelEvent.Close => $"{Subject} is closed{(Value > 0 ? " with a reset" : "")}",
            KernelEvent.ConnectionReset => $"{Subject} is reset",
            KernelEvent.ConnectionTimedOut => $"{Subject} times out",
            KernelEvent.Retransmission => $"{Subject} sends again what was lost",
            KernelEvent.Crash => $"{Subject} crashes",
            KernelEvent.DatagramDropped => $"{Subject} has no room for {Value} bytes",
            KernelEvent.Boot => $"{Subject} starts again",
            KernelEvent.ProcessStart => $"{Subject} starts",
            KernelEvent.ProcessEnd => $"{Subject} ends with {Value}",
            KernelEvent.Signal => $"{Subject} gets signal {Value}",
            _ => What.ToString(),
        };
    }
}
