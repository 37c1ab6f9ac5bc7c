using System.Runtime.InteropServices;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Subprocesses;

/// <summary>The high-level process: waiting for its end, and bringing it about.</summary>
internal static class SubprocessWaitChecks
{
    private static readonly SubprocessOptions Piped = new()
    {
        StandardInput = SubprocessStream.Pipe,
        StandardOutput = SubprocessStream.Pipe,
        StandardError = SubprocessStream.Pipe,
    };

    [Check("SUB-051")]
    public static async Task Ten_who_wait_all_get_the_code_and_so_does_who_comes_late(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(null, StageProgram.Exit, "6");
        var waits = Enumerable.Range(0, 10).Select(_ => child.WaitAsync()).ToArray();
        foreach (var wait in waits) Check.Equal(6, await wait);
        var late = child.WaitAsync();
        Check.That(late.IsCompletedSuccessfully);
        Check.Equal(6, await late);
    }

    [Check("SUB-051")]
    public static async Task A_cancelled_wait_leaves_the_child_alone(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Stay);
        using var cancellation = new CancellationTokenSource();
        var wait = child.WaitAsync(cancellation.Token);
        var exchange = child.CommunicateAsync(cancellationToken: cancellation.Token);
        var other = child.WaitAsync();
        cancellation.Cancel();
        await Check.ThrowsAsync<OperationCanceledException>(() => wait);
        await Check.ThrowsAsync<OperationCanceledException>(() => child.WaitAsync(cancellation.Token));
        await stage.SettleAsync();
        child.Kill();
        Check.Equal(-9, await other);
        await Check.ThrowsAsync<OperationCanceledException>(() => exchange);
    }

    [Check("SUB-053", "BUG-083")]
    public static async Task The_wait_ends_with_the_child_although_a_grandchild_holds_its_output(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Leave);
        Check.Equal(3, await child.WaitAsync());
        await child.StandardInput!.DisposeAsync();
        using var reader = new StreamReader(child.StandardOutput!);
        Check.Equal("ready\nlater\n", await reader.ReadToEndAsync());
    }

    [Check("SUB-053")]
    public static async Task A_killed_child_is_waited_for_with_its_signal(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Stay);
        child.Kill();
        Check.Equal(-9, await child.WaitAsync());
        Check.Throws<ProcessLookupException>(child.Kill);
        Check.Throws<ProcessLookupException>(child.Terminate);
        Check.Throws<ProcessLookupException>(() => child.SendSignal(PosixSignal.SIGHUP));
    }

    [Check("SUB-009")]
    public static async Task A_child_that_is_asked_to_end_gets_a_while_and_is_killed_then(KernelStage stage)
    {
        await using var obedient = await stage.Children.OpenAsync(Piped, StageProgram.Stay);
        Check.Equal(-15, await obedient.TerminateAsync());
        Check.Equal(-15, await obedient.TerminateAsync());

        await using var stubborn = await stage.Children.OpenAsync(Piped, StageProgram.Stubborn);
        using var reader = new StreamReader(stubborn.StandardOutput!);
        Check.Equal("ready", await reader.ReadLineAsync());
        var began = stage.Loop.Time;
        Check.Equal(-9, await stubborn.TerminateAsync(TimeSpan.FromMilliseconds(50)));
        Check.That(stage.Loop.Time - began >= TimeSpan.FromMilliseconds(50), "it was killed too early");
    }

    [Check("BUG-086", "BUG-091")]
    public static async Task Disposing_of_it_kills_it_and_leaves_nothing(KernelStage stage)
    {
        var child = await stage.Children.OpenAsync(Piped, StageProgram.Stubborn);
        await child.DisposeAsync();
        Check.Equal(-9, child.ReturnCode);
        Check.That(!stage.IsChildLeft(child.ProcessId));
        await child.DisposeAsync();

        var ended = await stage.Children.OpenAsync(Piped, StageProgram.Exit, "0");
        await ended.WaitAsync();
        await ended.DisposeAsync();
        Check.Equal(0, ended.ReturnCode);
    }

    [Check("BUG-086")]
    public static async Task A_run_that_is_cancelled_kills_its_child(KernelStage stage)
    {
        using var cancellation = new CancellationTokenSource();
        var run = Subprocess.RunAsync(ChildKit.Shell, StageProgram.Stay.Arguments(), cancellationToken: cancellation.Token);
        await stage.UntilAsync(() => stage.Loop.Children.Count == 1);
        await stage.SettleAsync();
        cancellation.Cancel();
        await Check.ThrowsAsync<OperationCanceledException>(() => run);
        Check.Equal(0, stage.Loop.Children.Count);
    }

    [Check("SUB-051")]
    public static Task It_belongs_to_a_loop_s_thread(KernelStage stage)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                _ = Subprocess.StartAsync(ChildKit.Shell, []);
            }
            catch (InvalidOperationException exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        Check.That(failure is not null);
        Check.Equal(0, stage.Loop.Children.Count);
        return Task.CompletedTask;
    }
}
