using System.Net.Sockets;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Processes;

/// <summary>The pipe from one of the outputs of a <see cref="ChaosChild"/>, which owns it: what is done to it, and what must be true of it.</summary>
internal sealed class ChildOutput(ChaosChild child, IReadTransport pipe, int fd, KernelDice dice)
{
    private long _received;
    private bool _wantsReading = true;
    private bool _askedToEnd;

    public bool IsLost { get; private set; }

    /// <summary>All that was written has come, and the end where nobody writes any more.</summary>
    public bool IsAtRest => IsLost || (!pipe.IsClosing && _received == child.Program.Said(fd) && child.Program.SocketOf(fd) is { IsGone: false });

    public void Act()
    {
        if (dice.Chance(child.World.Plan.EndChance / 2)) Close();
        else WantReading(dice.Chance(0.6));
    }

    public void WantReading(bool wants)
    {
        if (IsLost) return;
        if (wants || !pipe.IsClosing) _wantsReading = wants;
        child.Note(wants ? Happening.ResumeReading : Happening.PauseReading, fd);
        if (wants) pipe.ResumeReading();
        else pipe.PauseReading();
    }

    /// <summary>The child is closed, and this with it.</summary>
    public void Cut() => _askedToEnd = true;

    public void Verify()
    {
        if (!IsLost && pipe.IsReading != (!pipe.IsClosing && _wantsReading)) child.Broken(Invariant.Paused, $"IsReading of {fd} is {pipe.IsReading}");
    }

    public void OnData(ReadOnlySpan<byte> data)
    {
        if (!_wantsReading) child.Broken(Invariant.Paused, $"data of {fd} came while reading was paused");
        if (_received + data.Length > child.Program.Said(fd)) child.Broken(Invariant.Bytes, $"more of {fd} was delivered than was written");
        if (!data.SequenceEqual(child.Program.Output(fd, _received, data.Length).Span)) child.Broken(Invariant.Bytes, $"other bytes of {fd} were delivered behind position {_received}");
        _received += data.Length;
    }

    public void OnLost(Exception? reason)
    {
        IsLost = true;
        if (reason is not null && (reason is not SocketException || !child.World.Plan.HasFaults)) child.Broken(Invariant.Lifecycle, $"output {fd} was lost for a reason that there was not: {reason}");
        if (reason is not null || _askedToEnd) return;
        if (child.Program.SocketOf(fd) is { IsGone: false }) child.Broken(Invariant.Lifecycle, $"output {fd} was lost without a reason");
        if (_received != child.Program.Said(fd)) child.Broken(Invariant.End, $"the end of {fd} came behind {_received} of {child.Program.Said(fd)} bytes");
    }

    public override string ToString() => $"output {fd} {pipe} received {_received} of {child.Program.Said(fd)}";

    private void Close()
    {
        _askedToEnd = true;
        child.Note(Happening.Close, fd);
        pipe.Close();
    }
}
