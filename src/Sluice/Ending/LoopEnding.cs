using Sluice.Loop;

namespace Sluice.Ending;

/// <summary>
/// How a loop ends: no new connections are taken, those that are closing may finish, everything else is aborted, and the callbacks that are ready still
/// run. Owned by the loop; runs once, on the thread that ends it.
/// </summary>
internal sealed class LoopEnding(LoopCore core, LoopMembers members, TimeSpan shutdownTimeout)
{
    private const int MostLastPasses = 100;
    private static readonly TimeSpan LongestLastPasses = TimeSpan.FromSeconds(5);

    /// <summary>Called once signals have their default effect again: cancels the token of a run.</summary>
    public Action? Begun { get; set; }

    public void Run()
    {
        BeginAt(EndStage.Signals);
        Begun?.Invoke();
        // A descriptor that stays ready would keep the loop busy while the connections that are closing are waited for.
        BeginAt(EndStage.Watches);
        BeginAt(EndStage.Servers);
        foreach (var child in members.Children.Snapshot()) child.EndWithLoop();
        foreach (var transport in members.Transports()) transport.EndWithLoop();
        WaitForClosing();
        RunLastPasses();
    }

    private void BeginAt(EndStage stage)
    {
        foreach (var member in members.Snapshot(stage)) member.BeginEndWithLoop();
    }

    /// <summary>Connections that were closing flush and linger; what runs meanwhile may open no new ones that last.</summary>
    private void WaitForClosing()
    {
        var end = core.Time + shutdownTimeout;
        do
        {
            core.RunPass(core.OpenChannels == 0 ? TimeSpan.Zero : Max(end - core.Time, TimeSpan.Zero));
            foreach (var child in members.Children.Snapshot()) child.EndWithLoop();
            foreach (var transport in members.Transports()) transport.EndWithLoop();
        }
        while (core.OpenChannels > 0 && core.Time < end);
    }

    /// <summary>Callbacks that are ready run, and what they begin anew is ended as well.</summary>
    private void RunLastPasses()
    {
        var end = core.Time + LongestLastPasses;
        for (var pass = 0; ; pass++)
        {
            TellAllToGo();
            if (!core.HasReadyWork) return;
            if (pass == MostLastPasses || core.Time >= end)
            {
                core.Errors.LogLeftOver("callbacks keep queueing callbacks.");
                return;
            }

            core.RunPass(TimeSpan.Zero);
        }
    }

    private void TellAllToGo()
    {
        // Servers first: they count those of their connections that are cut off.
        foreach (var member in members.Snapshot()) member.EndWithLoop();
        foreach (var child in members.Children.Snapshot()) child.EndWithLoop();
        foreach (var transport in members.Transports()) transport.Abort();
        core.ClearTimers();
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
