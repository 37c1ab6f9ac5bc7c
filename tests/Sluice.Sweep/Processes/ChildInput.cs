using System.Net.Sockets;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Processes;

/// <summary>The pipe to the input of a <see cref="ChaosChild"/>, which owns it: what is done to it, and what must be true of it.</summary>
internal sealed class ChildInput(ChaosChild child, IWriteTransport pipe, KernelDice dice)
{
    private long _written;
    private bool _wasAborted;
    private bool _askedToEnd;

    public bool IsLost { get; private set; }

    /// <summary>Nothing waits that could leave, and nothing is due.</summary>
    public bool IsAtRest
    {
        get
        {
            if (IsLost) return true;
            var isReaderGone = child.Program.SocketOf(0) is not { IsGone: false };
            return !isReaderGone && (pipe.WriteBufferSize > 0 ? !child.Program.Reads : !pipe.IsClosing);
        }
    }

    public void Act()
    {
        if (dice.Chance(child.World.Plan.EndChance)) End();
        else if (dice.Chance(0.1)) pipe.SetWriteBufferLimits(child.World.Plan.HighMarks[dice.Below(child.World.Plan.HighMarks.Count)]);
        else Write();
    }

    /// <summary>Ends it in one of three ways.</summary>
    public void End()
    {
        _askedToEnd = true;
        switch (dice.Below(3))
        {
            case 0:
                _wasAborted = true;
                child.Note(Happening.Abort, 0);
                pipe.Abort();
                break;
            case 1:
                child.Note(Happening.WriteEof, 0);
                pipe.WriteEof();
                break;
            default:
                child.Note(Happening.Close, 0);
                pipe.Close();
                break;
        }
    }

    /// <summary>The child is closed, and this with it.</summary>
    public void Cut() => _askedToEnd = _wasAborted = true;

    public void Verify()
    {
        if (IsLost || _wasAborted) return;
        var size = pipe.WriteBufferSize;
        if (child.Program.Fed is { } fed && (!pipe.IsClosing || size > 0) && _written - fed - size != 0)
        {
            child.Broken(Invariant.Accounting, $"accepted {_written}, sent {fed}, buffered {size}");
        }

        if (!pipe.IsClosing && size > pipe.WriteBufferLimits.High && !child.IsWritingPaused) child.Broken(Invariant.Bounds, $"{size} bytes wait and nobody was told");
    }

    public void OnLost(Exception? reason)
    {
        IsLost = true;
        var unsent = _written - (child.Program.Fed ?? _written);
        var isReaderGone = child.Program.SocketOf(0) is not { IsGone: false };
        if (reason is null && !_askedToEnd && !isReaderGone) child.Broken(Invariant.Lifecycle, "its input was lost without a reason");
        if (reason is null && !_wasAborted && unsent != 0) child.Broken(Invariant.Bytes, $"a graceful end left {unsent} bytes of its input unsent");
        if (reason is not null and not SocketException and not WriteBufferLimitException) child.Broken(Invariant.Lifecycle, $"its input was lost for a reason that there was not: {reason}");
        if (reason is WriteBufferLimitException && _written <= child.World.Plan.Cap) child.Broken(Invariant.Bounds, $"{_written} bytes were too much");
        if (reason is SocketException { SocketErrorCode: SocketError.Shutdown } && !isReaderGone && !child.World.Plan.HasFaults) child.Broken(Invariant.Lifecycle, "its input broke under a reader");
    }

    public override string ToString() => $"input {pipe} accepted {_written}, sent {child.Program.Fed}, buffered {pipe.WriteBufferSize}";

    private void Write()
    {
        var size = dice.Below(4) switch
        {
            0 => dice.Below(20),
            1 => dice.Below(5000),
            2 => 4095 + dice.Below(3),
            _ => dice.Below(child.World.Plan.LargestWrite),
        };
        child.Note(Happening.Write, size);
        var data = child.Program.Input(_written, size);
        if (!IsLost && !(pipe.IsClosing && pipe.WriteBufferSize == 0)) _written += size;
        pipe.Write(data.Span);
    }
}
