using System.Runtime.InteropServices;

namespace Sluice.Testing.Checks.Subprocesses;

/// <summary>How a child ends: by itself, by signals, by a close; and who hears of it when.</summary>
internal static class SubprocessEndChecks
{
    private const PosixSignal UserSignal = (PosixSignal)10;

    [Check("SUB-008", "SUB-013")]
    public static async Task After_a_natural_end_the_transport_is_not_closing_until_it_is_closed(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Exit, "9");
        await child.Lost;
        await stage.SettleAsync();
        Check.That(child.Transport is { IsClosing: false, ReturnCode: 9, Protocol: null });
        Check.Equal(0, stage.Loop.Children.Count);
        var trace = child.Trace.ToArray();

        child.Transport.Close();
        child.Transport.Close();
        await stage.SettleAsync();
        Check.That(child.Transport is { IsClosing: true, ReturnCode: 9 });
        Check.Trace(child.Trace, trace);
    }

    [Check("SUB-009")]
    public static async Task Signals_end_it_with_their_negative_numbers(KernelStage stage)
    {
        foreach (var (act, code) in ((Action<ISubprocessTransport>, int)[])[
            (static transport => transport.Kill(), -9), (static transport => transport.Terminate(), -15),
            (static transport => transport.SendSignal(PosixSignal.SIGHUP), -1), (static transport => transport.SendSignal(UserSignal), -10)])
        {
            await Ends(act, code);
        }

        async Task Ends(Action<ISubprocessTransport> act, int code)
        {
            var child = await stage.Children.StartAsync(StageProgram.Stay);
            await child.WaitForBytesAsync(1, 1);
            act(child.Transport);
            Check.That(child.Transport.ReturnCode is null, "the end was known inside the call");
            await child.Lost;
            Check.Equal(code, child.Transport.ReturnCode);
            Check.That(child.Trace.Contains($"ProcessExited({code})"));
        }
    }

    [Check("SUB-010", "BUG-084")]
    public static async Task A_child_that_has_ended_takes_no_signals(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Exit, "0");
        await child.Lost;
        var error = Check.Throws<ProcessLookupException>(child.Transport.Kill);
        Check.Equal(child.Transport.ProcessId, error.ProcessId);
        Check.Throws<ProcessLookupException>(child.Transport.Terminate);
        Check.Throws<ProcessLookupException>(() => child.Transport.SendSignal(UserSignal));
        Check.Throws<ArgumentOutOfRangeException>(() => child.Transport.SendSignal(default));
        Check.Throws<ArgumentOutOfRangeException>(() => child.Transport.SendSignal((PosixSignal)1000));
    }

    [Check("SUB-011", "BUG-083")]
    public static async Task The_end_is_told_at_once_although_a_grandchild_holds_the_pipes(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Leave);
        await child.Exited;
        await child.WaitForBytesAsync(1, "ready\n".Length);
        await stage.SettleAsync();
        Check.Equal(3, child.Transport.ReturnCode);
        Check.That(!child.Lost.IsCompleted && !child.Trace.Any(static entry => entry.StartsWith("PipeConnectionLost", StringComparison.Ordinal)), $"{child}");
        Check.Throws<ProcessLookupException>(child.Transport.Kill);

        child.Transport.StandardInput!.Close();
        await child.Lost;
        Check.Equal("ready\nlater\n", child.Text(1));
        Check.Equal(3, child.Transport.ReturnCode);
        Check.That(!child.Transport.IsClosing);
    }

    [Check("SUB-011", "BUG-083")]
    public static async Task A_close_ends_the_pipes_that_a_grandchild_holds(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Leave);
        await child.Exited;
        child.Transport.Close();
        await child.Lost;
        Check.Equal(3, child.Transport.ReturnCode);
        Check.Equal("ConnectionLost(null)", child.Trace[^1]);
        Check.Equal(3, child.Trace.Count(static entry => entry.StartsWith("PipeConnectionLost", StringComparison.Ordinal)));
    }

    [Check("SUB-004", "SUB-012")]
    public static async Task A_signal_or_a_close_that_comes_too_late_does_not_change_how_it_ended(KernelStage stage)
    {
        foreach (var act in (Action<ISubprocessTransport>[])[static transport => transport.Close(), static transport => transport.Kill()])
        {
            // It says the last it has to say, and ends; then this loop does not look for a while.
            var child = await stage.Children.StartAsync(StageProgram.Interactive);
            await child.WaitForBytesAsync(1, "ready\n".Length);
            child.Transport.StandardInput!.SetWriteBufferLimits(high: 0);
            child.Transport.StandardInput.Write("stop 5\n"u8);
            await stage.AwaitEndUnnoticedAsync(child.Transport);
            if (child.Transport.ReturnCode is null) act(child.Transport);
            await child.Exited;
            Check.Equal(5, child.Transport.ReturnCode);
        }
    }

    [Check("SUB-005", "BUG-091")]
    public static async Task A_close_kills_and_every_callback_still_comes(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Stubborn);
        await child.WaitForBytesAsync(1, "ready\n".Length);
        child.Transport.StandardInput!.Write(new byte[300_000]);
        child.Transport.Close();
        Check.That(child.Transport is { IsClosing: true, ReturnCode: null, Protocol: not null });
        child.Transport.Close();
        await child.Lost;

        Check.Equal(-9, child.Transport.ReturnCode);
        Check.Equal("ConnectionLost(null)", child.Trace[^1]);
        Check.Equal(3, child.Trace.Count(static entry => entry.StartsWith("PipeConnectionLost", StringComparison.Ordinal)));
        Check.That(child.Trace.Contains("ProcessExited(-9)"));
        Check.That(!stage.IsChildLeft(child.Transport.ProcessId), "a zombie stays");
    }

    [Check("SUB-005")]
    public static async Task Input_that_waits_at_a_close_is_dropped_which_is_no_error(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Stubborn);
        await child.WaitForBytesAsync(1, "ready\n".Length);
        child.Transport.StandardInput!.Write(new byte[300_000]);
        Check.That(child.Transport.StandardInput.WriteBufferSize > 0);

        child.Transport.Close();

        await child.Lost;
        Check.That(child.Trace.Contains("PipeConnectionLost(0, null)"), string.Join(", ", child.Trace));
    }

    [Check("SUB-005")]
    public static async Task It_can_be_closed_in_any_callback(KernelStage stage)
    {
        foreach (var hook in (Action<RecordingSubprocessProtocol>[])
        [
            static protocol => protocol.OnMade = static transport => transport.Close(),
            static protocol => protocol.OnData = (_, _) => protocol.Transport.Close(),
            static protocol => protocol.OnPipeLost = (_, _) => protocol.Transport.Close(),
            static protocol => protocol.OnExited = () => protocol.Transport.Close(),
            static protocol => protocol.OnLost = () => protocol.Transport.Close(),
        ])
        {
            var protocol = new RecordingSubprocessProtocol();
            hook(protocol);
            var child = await stage.Children.StartAsync(protocol, null, StageProgram.Say, "out", "err");
            await child.Lost;
            Check.That(child.Transport is { IsClosing: true, ReturnCode: not null });
            Check.Equal(3, child.Trace.Count(static entry => entry.StartsWith("PipeConnectionLost", StringComparison.Ordinal)));
        }
    }

    [Check("SUB-030")]
    public static async Task A_signal_that_the_child_handles_is_heard_between_two_lines(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Interactive);
        await child.WaitForBytesAsync(1, "ready\n".Length);
        child.Transport.StandardInput!.Write("before\n"u8);
        await child.WaitForBytesAsync(1, "ready\nbefore\n".Length);
        child.Transport.SendSignal(UserSignal);
        await child.WaitForBytesAsync(1, "ready\nbefore\ncaught\n".Length);
        child.Transport.StandardInput.Write("after\n"u8);
        await child.WaitForBytesAsync(1, "ready\nbefore\ncaught\nafter\n".Length);
        child.Transport.StandardInput.Write("stop 11\n"u8);
        await child.Lost;
        Check.Equal("ready\nbefore\ncaught\nafter\n", child.Text(1));
        Check.Equal(11, child.Transport.ReturnCode);
    }

    [Check("SUB-054")]
    public static async Task A_status_that_somebody_else_has_taken_is_255_with_a_warning(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Interactive);
        await child.WaitForBytesAsync(1, "ready\n".Length);
        child.Transport.StandardInput!.SetWriteBufferLimits(high: 0);
        child.Transport.StandardInput.Write("stop 5\n"u8);
        stage.StealExitStatus(child.Transport.ProcessId);
        await child.Lost;
        Check.Equal(255, child.Transport.ReturnCode);
        Check.That(stage.Warnings.Any(warning => warning.Contains($"process {child.Transport.ProcessId}", StringComparison.Ordinal)));
    }

    [Check("SUB-055")]
    public static async Task Many_that_end_together_are_each_told_once_with_their_own_codes(KernelStage stage)
    {
        var children = new List<RecordingSubprocessProtocol>();
        for (var i = 0; i < 20; i++) children.Add(await stage.Children.StartAsync(StageProgram.Interactive));
        foreach (var child in children) await child.WaitForBytesAsync(1, "ready\n".Length);
        for (var i = 0; i < children.Count; i++) children[i].Transport.StandardInput!.Write(System.Text.Encoding.UTF8.GetBytes($"stop {i}\n"));
        for (var i = 0; i < children.Count; i++)
        {
            await children[i].Lost;
            Check.Equal(i, children[i].Transport.ReturnCode);
        }
    }
}
