using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Pipes;

/// <summary>The reading end of a <see cref="ChaosPipe"/>.</summary>
internal sealed class ChaosPipeReader(ChaosPipe pipe, KernelDice dice) : ChaosPipeEnd(pipe, dice)
{
    private bool _wantsReading = true;

    public long Received { get; private set; }

    private IReadTransport? Reader => (IReadTransport?)Transport;

    public ReadProtocol MakeProtocol() => new Ears(this);

    public void WantReading(bool wants)
    {
        if (Reader is not { } reader || !Contract.IsMade || Contract.IsLost) return;
        if (wants || !reader.IsClosing) _wantsReading = wants;
        Pipe.Note(wants ? Happening.ResumeReading : Happening.PauseReading, 0);
        if (wants) reader.ResumeReading();
        else reader.PauseReading();
    }

    public void Close()
    {
        AskedToEnd = true;
        Pipe.Note(Happening.Close, 0);
        Reader?.Close();
    }

    public override void Act()
    {
        if (Reader is null) return;
        if (Dice.Chance(Pipe.World.Plan.EndChance / 2)) Close();
        else if (Dice.Chance(0.4)) WantReading(Dice.Chance(0.6));
        Verify();
    }

    public override void Verify()
    {
        if (Contract is not { IsMade: true, IsLost: false } || Reader is not { } reader) return;
        if (Pipe.ReaderIsGone) Pipe.Broken(Invariant.Descriptors, "the reading end is gone and not lost");
        if (reader.IsReading != (!reader.IsClosing && _wantsReading)) Pipe.Broken(Invariant.Paused, $"IsReading is {reader.IsReading}");
    }

    public override string ToString() => $"reader {Reader} received {Received}";

    private void Receive(ReadOnlySpan<byte> data)
    {
        Pipe.Note(Happening.DataReceived, data.Length);
        Contract.DataReceived(data.Length);
        if (!_wantsReading) Pipe.Broken(Invariant.Paused, "data came while reading was paused");
        if (Received + data.Length > Pipe.Link.Sent) Pipe.Broken(Invariant.Bytes, "more was delivered than was sent");
        if (!data.SequenceEqual(Pattern.Slice(Pipe.Stream, Received, data.Length).Span)) Pipe.Broken(Invariant.Bytes, $"other bytes were delivered behind position {Received}");
        Received += data.Length;
        MayAct(isFatal: true);
    }

    private bool ReceiveEnd()
    {
        Pipe.Note(Happening.EofReceived, 0);
        Contract.EofReceived();
        AskedToEnd = true;
        if (!_wantsReading) Pipe.Broken(Invariant.Paused, "the end came while reading was paused");
        if (Received != Pipe.Link.Sent) Pipe.Broken(Invariant.End, $"the end came behind {Received} of {Pipe.Link.Sent} bytes");
        if (Pipe.WholeLength is { } whole && Received != whole) Pipe.Broken(Invariant.Bytes, $"a clean end came behind {Received} of {whole} bytes");
        if (Pipe.MayThrow() is { } exception) throw Fatal ??= exception;
        return Dice.Chance(0.5);
    }

    private void LoseReader(Exception? reason)
    {
        Lost(reason);
        if (reason is null && !AskedToEnd) Pipe.Broken(Invariant.Lifecycle, "the reader was lost without a reason");
        if (Pipe.MayThrow() is { } exception) throw exception;
    }

    private sealed class Ears(ChaosPipeReader end) : ReadProtocol
    {
        public override void ConnectionMade(IReadTransport transport) => end.Made(transport);

        public override void DataReceived(ReadOnlySpan<byte> data) => end.Receive(data);

        public override bool EofReceived() => end.ReceiveEnd();

        public override void ConnectionLost(Exception? exception) => end.LoseReader(exception);
    }
}
