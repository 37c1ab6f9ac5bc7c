using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>
/// The receiving side of a channel: what a read gets at once, and the reads that a kernel may have completed already when reading stops. Owned by its channel.
/// </summary>
internal sealed class SimulatedRead(SimulatedBackend host, SimulatedSocket kernel)
{
    private const int MostLateReads = 3;

    private int _underWay;

    public bool IsOn { get; private set; }

    /// <summary>The sink has heard of the end.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether something that has come would be reported.</summary>
    public bool IsArmed => (IsOn || _underWay > 0) && !HasEnded;

    public bool HasInput => kernel.CanRead || host.Faults.HasRead;

    public void Start()
    {
        IsOn = true;
        _underWay = 0;
    }

    public void Stop()
    {
        if (!IsOn) return;
        IsOn = false;
        // As many as a kernel may have completed already, the end of the stream among them.
        _underWay = kernel.Dice.Chance(host.Network.Options.LateReads) ? kernel.Dice.SomeOf(MostLateReads) : 0;
    }

    /// <summary>The channel closes: nothing more is reported.</summary>
    public void Cease()
    {
        IsOn = false;
        _underWay = 0;
    }

    /// <summary>Reads once and tells the sink, which may stop the reading or close the channel.</summary>
    /// <returns>False where nothing was to be told.</returns>
    public bool Report(StreamChannel channel, IStreamSink sink)
    {
        if (host.Faults.TryTakeRead(out var fault)) return End(sink, fault);
        if (!IsOn || !channel.AsksForTarget) return ReadInto(host.ReadBuffer, sink);

        var target = sink.ReadTarget();
        if (!IsOn) return true;
        if (target.IsEmpty || !channel.AsksForTarget) return ReadInto(host.ReadBuffer, sink);
        if (kernel.Dice.Chance(host.Network.Options.SpuriousWakeups)) return true;
        var count = ReadSome(target.Span, out var end, out var error);
        if (count == 0) return (end || !error.IsNone) && End(sink, error);
        sink.OnReadInto(count);
        return true;
    }

    public bool End(IStreamSink sink, IoError reason)
    {
        Cease();
        HasEnded = true;
        sink.OnReadEnd(reason);
        return true;
    }

    private bool ReadInto(byte[] buffer, IStreamSink sink)
    {
        var count = ReadSome(buffer, out var end, out var error);
        if (count == 0) return (end || !error.IsNone) && End(sink, error);
        if (_underWay > 0) _underWay--;
        sink.OnRead(buffer.AsSpan(0, count));

        // The buffer is shared and lent: who keeps the span must not find its bytes in it later.
        buffer.AsSpan(0, count).Fill(0xDB);
        return true;
    }

    private int ReadSome(Span<byte> target, out bool end, out IoError error)
    {
        var most = Math.Min(target.Length, kernel.Incoming.Unread);
        if (most > 1 && kernel.Dice.Chance(host.Network.Options.ShortReads)) most = kernel.Dice.SomeOf(most);
        return kernel.Read(target[..most], out end, out error);
    }
}
