using System.Runtime.InteropServices;

namespace Sluice.Testing.Checks;

/// <summary>Handlers for signals of the process. Only with signals that nothing else in a test process uses.</summary>
internal static class SignalChecks
{
    private const PosixSignal FirstUserSignal = (PosixSignal)10;
    private const PosixSignal SecondUserSignal = (PosixSignal)12;
    private const PosixSignal Child = (PosixSignal)17;
    private const PosixSignal Continue = (PosixSignal)18;
    private const PosixSignal Urgent = (PosixSignal)23;
    private const PosixSignal WindowChange = (PosixSignal)28;
    private const PosixSignal Kill = (PosixSignal)9;
    private const PosixSignal Stop = (PosixSignal)19;

    private static readonly AsyncLocal<string?> Ambient = new();

    [Check("SIG-001")]
    public static async Task A_handler_is_called_for_each_signal_on_the_loop_in_its_caller_s_context(KernelStage stage)
    {
        var seen = new List<string?>();
        Ambient.Value = "adder";
        stage.Loop.AddSignalHandler(FirstUserSignal, () =>
        {
            Check.That(EventLoop.Current == stage.Loop);
            seen.Add(Ambient.Value);
            Ambient.Value = "changed by the handler";
        });
        Ambient.Value = "sender";

        stage.SendSignal(FirstUserSignal);
        Check.Equal(0, seen.Count, "calls inside the call that sends");
        await stage.UntilAsync(() => seen.Count == 1);
        stage.SendSignal(FirstUserSignal);
        stage.SendSignal(FirstUserSignal);
        await stage.UntilAsync(() => seen.Count == 3);
        await stage.SettleAsync();

        Check.Trace(seen.ConvertAll(static value => value ?? "nothing"), "adder", "adder", "adder");
        Check.Equal("sender", Ambient.Value);
    }

    [Check("SIG-001")]
    public static async Task What_a_handler_writes_leaves_when_it_returns(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        stage.Loop.AddSignalHandler(FirstUserSignal, () => pair.Client.Write("signalled"u8));

        stage.SendSignal(FirstUserSignal);

        await pair.ServerProtocol.WaitForBytesAsync("signalled".Length);
        Check.Equal(0, pair.Client.WriteBufferSize);
    }

    [Check("SIG-002")]
    public static Task A_number_that_is_no_signal_is_refused(KernelStage stage)
    {
        foreach (var number in new[] { 0, 65, 1000, int.MaxValue, -11, -100, int.MinValue })
        {
            var signal = (PosixSignal)number;
            Check.Equal("signal", Check.Throws<ArgumentOutOfRangeException>(() => stage.Loop.AddSignalHandler(signal, static () => { })).ParamName);
            Check.Equal("signal", Check.Throws<ArgumentOutOfRangeException>(() => stage.Loop.RemoveSignalHandler(signal)).ParamName);
        }

        Check.Throws<ArgumentNullException>(() => stage.Loop.AddSignalHandler(FirstUserSignal, null!));
        return Task.CompletedTask;
    }

    [Check("SIG-003")]
    public static Task What_nobody_can_catch_is_refused_by_its_number(KernelStage stage)
    {
        foreach (var signal in new[] { Kill, Stop })
        {
            var thrown = Check.Throws<InvalidOperationException>(() => stage.Loop.AddSignalHandler(signal, static () => { }));
            Check.Equal($"signal {(int)signal} cannot be caught", thrown.Message);
            Check.That(!stage.Loop.RemoveSignalHandler(signal));
        }

        return Task.CompletedTask;
    }

    [Check("SIG-004")]
    public static async Task A_removed_handler_hears_nothing_and_a_second_removal_finds_none(KernelStage stage)
    {
        var heard = 0;
        var handle = stage.Loop.AddSignalHandler(FirstUserSignal, () => heard++);
        Check.That(!handle.IsCancelled);

        Check.That(stage.Loop.RemoveSignalHandler(FirstUserSignal));
        Check.That(handle.IsCancelled);
        Check.That(!stage.Loop.RemoveSignalHandler(FirstUserSignal));
        stage.SendSignal(FirstUserSignal);
        await stage.SettleAsync();
        Check.Equal(0, heard);

        stage.Loop.AddSignalHandler(FirstUserSignal, () => heard++);
        stage.SendSignal(FirstUserSignal);
        await stage.UntilAsync(() => heard == 1);
    }

    [Check("SIG-005")]
    public static async Task Adding_again_replaces_the_handler_also_by_the_signal_s_other_name(KernelStage stage)
    {
        var calls = new List<string>();
        var first = stage.Loop.AddSignalHandler(PosixSignal.SIGHUP, () => calls.Add("first"));
        var second = stage.Loop.AddSignalHandler((PosixSignal)1, () => calls.Add("second"));

        Check.That(first.IsCancelled && !second.IsCancelled);
        first.Cancel();
        stage.SendSignal(PosixSignal.SIGHUP);
        await stage.UntilAsync(() => calls.Count > 0);
        await stage.SettleAsync();

        Check.Trace(calls, "second");
        Check.That(stage.Loop.RemoveSignalHandler(PosixSignal.SIGHUP));
    }

    [Check("SIG-005")]
    public static async Task A_signal_that_has_come_is_the_new_handler_s(KernelStage stage)
    {
        var calls = new List<string>();
        stage.Loop.AddSignalHandler(FirstUserSignal, () => calls.Add("first"));
        stage.SendSignal(FirstUserSignal);
        stage.Loop.AddSignalHandler(FirstUserSignal, () => calls.Add("second"));

        await stage.UntilAsync(() => calls.Count > 0);
        await stage.SettleAsync();
        Check.Trace(calls, "second");
    }

    [Check("SIG-006")]
    public static async Task A_handler_hears_its_own_signal_and_may_remove_another_s(KernelStage stage)
    {
        var calls = new List<string>();
        var removed = false;
        stage.Loop.AddSignalHandler(SecondUserSignal, () => calls.Add("second"));
        stage.Loop.AddSignalHandler(FirstUserSignal, () =>
        {
            calls.Add("first");
            removed = stage.Loop.RemoveSignalHandler(SecondUserSignal);
        });

        stage.SendSignal(SecondUserSignal);
        await stage.UntilAsync(() => calls.Count == 1);
        stage.SendSignal(FirstUserSignal);
        await stage.UntilAsync(() => calls.Count == 2);
        Check.That(removed);
        stage.SendSignal(SecondUserSignal);
        await stage.SettleAsync();

        Check.Trace(calls, "second", "first");
        Check.That(!stage.Loop.RemoveSignalHandler(SecondUserSignal));
    }

    [Check("SIG-006")]
    public static async Task A_handler_may_remove_itself_or_put_another_in_its_place(KernelStage stage)
    {
        var calls = new List<string>();
        stage.Loop.AddSignalHandler(FirstUserSignal, () =>
        {
            calls.Add("first");
            stage.Loop.AddSignalHandler(FirstUserSignal, () =>
            {
                calls.Add("second");
                Check.That(stage.Loop.RemoveSignalHandler(FirstUserSignal));
            });
        });

        for (var sent = 1; sent <= 2; sent++)
        {
            stage.SendSignal(FirstUserSignal);
            await stage.UntilAsync(() => calls.Count == sent);
        }

        stage.SendSignal(FirstUserSignal);
        await stage.SettleAsync();
        Check.Trace(calls, "first", "second");
    }

    [Check("SIG-007")]
    public static async Task A_signal_that_has_come_runs_nothing_once_its_handler_is_removed_or_cancelled(KernelStage stage)
    {
        var calls = 0;
        stage.Loop.AddSignalHandler(FirstUserSignal, () => calls++);
        var handle = stage.Loop.AddSignalHandler(SecondUserSignal, () => calls++);
        stage.SendSignal(FirstUserSignal);
        stage.SendSignal(SecondUserSignal);

        stage.Loop.RemoveSignalHandler(FirstUserSignal);
        handle.Cancel();
        Check.That(handle.IsCancelled);
        Check.That(!stage.Loop.RemoveSignalHandler(SecondUserSignal));

        // Somebody new does not hear what came before.
        stage.Loop.AddSignalHandler(FirstUserSignal, () => calls++);
        await stage.SettleAsync();
        Check.Equal(0, calls);
    }

    [Check("SIG-001", "SIG-005")]
    public static async Task A_handler_that_throws_is_reported_and_stays(KernelStage stage)
    {
        var mistake = new FormatException("mistake");
        var calls = 0;
        var handle = stage.Loop.AddSignalHandler(FirstUserSignal, () =>
        {
            calls++;
            throw mistake;
        });

        for (var sent = 1; sent <= 2; sent++)
        {
            stage.SendSignal(FirstUserSignal);
            await stage.UntilAsync(() => calls == sent);
            var report = stage.ClaimReport();
            Check.That(ReferenceEquals(mistake, report.Exception));
            Check.That(ReferenceEquals(handle, report.Handle));
        }
    }

    [Check("SIG-012")]
    public static async Task Signals_that_end_no_program_can_be_heard_too(KernelStage stage)
    {
        var heard = new HashSet<PosixSignal>();
        PosixSignal[] signals = [Child, Continue, Urgent, WindowChange];
        foreach (var signal in signals) stage.Loop.AddSignalHandler(signal, () => heard.Add(signal));
        foreach (var signal in signals) stage.SendSignal(signal);

        await stage.UntilAsync(() => heard.Count == signals.Length);
    }
}
