using System.Net.Sockets;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Pipes;

/// <summary>The writing end of a <see cref="ChaosPipe"/>.</summary>
internal sealed class ChaosPipeWriter(ChaosPipe pipe, KernelDice dice) : ChaosPipeEnd(pipe, dice)
{
    private int _depth;
    private bool _wasAborted;
    private bool _wasBroken;

    /// <summary>How many bytes the transport has accepted.</summary>
    public long Written { get; private set; }

    /// <summary>Neither aborted nor broken: all that it accepted will be sent.</summary>
    public bool IsWhole => !_wasAborted && !_wasBroken;

    public int Buffered => Writer?.WriteBufferSize ?? 0;

    private IWriteTransport? Writer => (IWriteTransport?)Transport;

    private bool Accepts => Writer is { } writer && !Contract.IsLost && !(writer.IsClosing && writer.WriteBufferSize == 0);

    public WriteProtocol MakeProtocol() => new Mouth(this);

    /// <summary>The loop ends, and aborts it.</summary>
    public override void Abandon()
    {
        base.Abandon();
        _wasAborted = true;
    }

    /// <summary>Ends it in one of three ways.</summary>
    public void End(int how)
    {
        if (Writer is not { } writer) return;
        AskedToEnd = true;
        switch (how)
        {
            case 0:
                _wasAborted = true;
                Pipe.Note(Happening.Abort, 0);
                writer.Abort();
                break;
            case 1:
                Pipe.Note(Happening.WriteEof, 0);
                writer.WriteEof();
                break;
            default:
                Pipe.Note(Happening.Close, 0);
                writer.Close();
                break;
        }
    }

    public override void Act()
    {
        if (Writer is not { } writer || _depth > 2) return;
        _depth++;
        for (var left = Dice.SomeOf(3); left > 0; left--)
        {
            if (Dice.Chance(Pipe.World.Plan.EndChance)) End(Dice.Below(3));
            else if (Dice.Chance(0.1)) SetLimits(writer);
            else Write(writer);
            Verify();
        }

        _depth--;
    }

    public override void Verify()
    {
        if (Contract is not { IsMade: true, IsLost: false } || Writer is not { } writer || _wasAborted) return;
        var size = writer.WriteBufferSize;
        if (Pipe.WriterIsGone) Pipe.Broken(Invariant.Descriptors, "the writing end is gone and not lost");
        if ((!writer.IsClosing || size > 0) && Written - Pipe.Link.Sent - size != 0)
        {
            Pipe.Broken(Invariant.Accounting, $"accepted {Written}, sent {Pipe.Link.Sent}, buffered {size}");
        }

        if (!writer.IsClosing && size > writer.WriteBufferLimits.High && !Contract.IsWritingPaused) Pipe.Broken(Invariant.Bounds, $"{size} bytes wait and nobody was told");
    }

    public override string ToString() => $"writer {Writer} accepted {Written}, buffered {Buffered}";

    private void Write(IWriteTransport writer)
    {
        var size = Dice.Below(4) switch
        {
            0 => Dice.Below(20),
            1 => Dice.Below(5000),
            2 => 4095 + Dice.Below(3),
            _ => Dice.Below(Pipe.World.Plan.LargestWrite),
        };
        Pipe.Note(Happening.Write, size);
        var data = Pattern.Slice(Pipe.Stream, Written, size);
        if (Accepts) Written += size;
        if (size > 2 && Dice.Chance(0.3)) writer.WriteLines([data[..(size / 2)], default, data[(size / 2)..]]);
        else writer.Write(data.Span);
    }

    private void SetLimits(IWriteTransport writer)
    {
        var high = Pipe.World.Plan.HighMarks[Dice.Below(Pipe.World.Plan.HighMarks.Count)];
        Pipe.Note(Happening.SetLimits, high);
        writer.SetWriteBufferLimits(high);
    }

    private void FlowChanged(bool pause)
    {
        Pipe.Note(pause ? Happening.PauseWriting : Happening.ResumeWriting, Buffered);
        if (pause) Contract.PauseWriting();
        else Contract.ResumeWriting();
        MayAct();
    }

    private void LoseWriter(Exception? reason)
    {
        var unsent = Written - Pipe.Link.Sent;
        _wasBroken = reason is not null;
        Lost(reason);
        if (reason is null && !AskedToEnd && !Pipe.ReaderIsGone) Pipe.Broken(Invariant.Lifecycle, "the writer was lost without a reason");
        if (reason is null && unsent != 0 && !_wasAborted) Pipe.Broken(Invariant.Bytes, $"a graceful end left {unsent} bytes unsent");
        if (reason is SocketException { SocketErrorCode: SocketError.Shutdown } && !Pipe.ReaderIsGone && !Pipe.World.Plan.HasFaults) Pipe.Broken(Invariant.Lifecycle, "the pipe broke under a reader");
        if (Pipe.MayThrow() is { } exception) throw exception;
    }

    private sealed class Mouth(ChaosPipeWriter end) : WriteProtocol
    {
        public override void ConnectionMade(IWriteTransport transport) => end.Made(transport);

        public override void PauseWriting() => end.FlowChanged(pause: true);

        public override void ResumeWriting() => end.FlowChanged(pause: false);

        public override void ConnectionLost(Exception? exception) => end.LoseWriter(exception);
    }
}
