using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Loops;

/// <summary>What debug mode tells.</summary>
public sealed partial class DebugTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMilliseconds(120);

    [Theory, EveryKernel, Case("LOOP-041", "RUN-003")]
    public void Debug_mode_is_set_by_options_and_by_hand(LoopKernel kernel)
    {
        kernel.Run(static loop => IsDebug(loop, true), new EventLoopOptions { Debug = true });
        kernel.Run(static loop => IsDebug(loop, false), new EventLoopOptions { Debug = false });
        kernel.Run(static loop =>
        {
            loop.Debug = true;
            return IsDebug(loop, true);
        });
    }

    [Theory, EveryKernel, Case("LOOP-044")]
    public void Slow_callbacks_of_every_kind_are_named(LoopKernel kernel)
    {
        var log = new LogRecorder();
        kernel.Run(
            async loop =>
            {
                Assert.Equal(TimeSpan.FromMilliseconds(100), loop.SlowCallbackDuration);
                void ASlowCallback() => kernel.PassTime(loop, Long);
                void SlowTimer() => kernel.PassTime(loop, Long);
                void SlowTick(object? _) => kernel.PassTime(loop, Long);
                loop.CallSoon(ASlowCallback);
                loop.CallLater(TimeSpan.Zero, SlowTimer);
                using var timer = loop.TimeProvider.CreateTimer(SlowTick, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
                await Task.Yield();
                await Task.Yield();
                var protocol = new RecordingProtocol { OnMade = _ => kernel.PassTime(loop, Long) };
                await kernel.ConnectAsync(loop, protocol, new RecordingProtocol());
            },
            new EventLoopOptions { Debug = true, Logger = log });

        Assert.Contains(log.From(LogLevel.Warning), static text => SlowCallback().Match(text) is { Success: true } match
            && double.Parse(match.Groups["seconds"].Value, CultureInfo.InvariantCulture) >= Long.TotalSeconds);
        Assert.Contains(log.From(LogLevel.Warning), static text => text.Contains("SlowTimer", StringComparison.Ordinal));
        Assert.Contains(log.From(LogLevel.Warning), static text => text.Contains("SlowTick", StringComparison.Ordinal));
        Assert.Contains(log.From(LogLevel.Warning), static text => text.Contains("RecordingProtocol.ConnectionMade", StringComparison.Ordinal));
    }

    [Theory, EveryKernel, Case("LOOP-044")]
    public void A_slow_step_of_an_async_function_is_reported(LoopKernel kernel)
    {
        var log = new LogRecorder();
        kernel.Run(
            async loop =>
            {
                loop.SlowCallbackDuration = TimeSpan.FromMilliseconds(10);
                await Task.Yield();
                kernel.PassTime(loop, TimeSpan.FromMilliseconds(11));
                await Task.Yield();
                Assert.Single(log.From(LogLevel.Warning));
            },
            new EventLoopOptions { Debug = true, Logger = log, SlowCallbackDuration = TimeSpan.FromHours(1) });
    }

    [Theory, EveryKernel, Case("LOOP-044")]
    public void Without_debug_mode_slow_callbacks_are_no_news(LoopKernel kernel)
    {
        var log = new LogRecorder();
        kernel.Run(
            async loop =>
            {
                loop.CallSoon(() => kernel.PassTime(loop, Long));
                await Task.Yield();
                await Task.Yield();
            },
            new EventLoopOptions { Debug = false, Logger = log });

        Assert.Empty(log.Entries);
    }

    [Theory, EveryKernel, Case("LOOP-022")]
    public void Handles_describe_themselves(LoopKernel kernel) => kernel.Run(async loop =>
    {
        void Described()
        {
        }

        var handle = loop.CallSoon(Described);
        var timer = loop.CallAt(TimeSpan.FromDays(3), Described);
        Assert.Contains(nameof(Described), handle.ToString(), StringComparison.Ordinal);
        Assert.Contains(nameof(Described), timer.ToString(), StringComparison.Ordinal);
        Assert.Contains("3.00:00:00", timer.ToString(), StringComparison.Ordinal);

        timer.Cancel();
        await Task.Yield();
        Assert.Contains("cancelled", timer.ToString(), StringComparison.Ordinal);
        Assert.Contains("done", handle.ToString(), StringComparison.Ordinal);
    });

    [Theory, EveryKernel, Case("LOOP-023")]
    public void Reports_say_where_a_callback_was_queued_in_debug_mode_only(LoopKernel kernel)
    {
        foreach (var debug in new[] { true, false })
        {
            var told = new List<ExceptionContext>();
            kernel.Run(
                async loop =>
                {
                    loop.ExceptionHandler = (_, context) => told.Add(context);
                    loop.CallSoon(static () => throw new FormatException());
                    loop.CallLater(TimeSpan.Zero, static () => throw new FormatException());
                    while (told.Count < 2) await Task.Yield();
                },
                new EventLoopOptions { Debug = debug });

            if (debug) Assert.All(told, static context => Assert.Contains(nameof(DebugTests), context.SourceTraceback, StringComparison.Ordinal));
            else Assert.All(told, static context => Assert.Null(context.SourceTraceback));
        }
    }

    [Theory, EveryKernel]
    public void A_transport_that_is_open_when_the_loop_ends_is_named(LoopKernel kernel)
    {
        foreach (var debug in new[] { true, false })
        {
            var log = new LogRecorder();
            kernel.Run(
                async loop =>
                {
                    var (client, server) = await kernel.ConnectAsync(loop, new RecordingProtocol(), new RecordingProtocol());
                    client.Close();
                    server.Close();
                    await kernel.ConnectAsync(loop, new RecordingProtocol(), new RecordingProtocol());
                },
                new EventLoopOptions { Debug = debug, Logger = log });

            Assert.Equal(debug ? 2 : 0, log.From(LogLevel.Warning).Count(static text => text.Contains("never closed", StringComparison.Ordinal)));
        }
    }

    [Theory, EveryKernel]
    public void A_wait_that_blocks_the_loop_is_reported_where_it_was_made_in_debug_mode(LoopKernel kernel)
    {
        var waits = new (string Name, Action<WaitHandle, Task, TimeSpan> Wait)[]
        {
            ("a wait handle", static (handle, _, limit) => handle.WaitOne(limit)),
            ("a task", static (_, task, limit) => task.Wait(limit)),
            ("a thread", static (handle, _, limit) => Threads.Begin(() => handle.WaitOne(limit)).Join()),
        };

        foreach (var debug in new[] { true, false })
        {
            foreach (var (name, wait) in waits)
            {
                // The report itself ends the wait, so that none ends before it blocks.
                using var reported = new ManualResetEvent(false);
                var done = new TaskCompletionSource();
                var log = new LogRecorder
                {
                    OnEntry = () =>
                    {
                        reported.Set();
                        done.TrySetResult();
                    },
                };
                kernel.Run(
                    loop =>
                    {
                        wait(reported, done.Task, debug ? TimeSpan.FromSeconds(20) : TimeSpan.FromMilliseconds(20));
                        return Task.CompletedTask;
                    },
                    new EventLoopOptions { Debug = debug, Logger = log, SlowCallbackDuration = TimeSpan.FromHours(1) });

                var named = log.From(LogLevel.Warning).Any(static text => text.Contains("blocks", StringComparison.Ordinal) && text.Contains(nameof(DebugTests), StringComparison.Ordinal));
                Assert.True(named == debug, $"{name}, debug {debug}");
            }
        }
    }

    [Theory, EveryKernel]
    public void A_log_that_waits_itself_is_told_once(LoopKernel kernel)
    {
        using var never = new ManualResetEvent(false);
        var log = new LogRecorder { OnEntry = () => never.WaitOne(1) };
        kernel.Run(
            loop =>
            {
                never.WaitOne(1);
                return Task.CompletedTask;
            },
            new EventLoopOptions { Debug = true, Logger = log, SlowCallbackDuration = TimeSpan.FromHours(1) });

        Assert.Single(log.Entries);
    }

    [GeneratedRegex(@"SlowCallback.* took (?<seconds>\d+\.\d{3}) s")]
    private static partial Regex SlowCallback();

    private static Task IsDebug(EventLoop loop, bool expected)
    {
        Assert.Equal(expected, loop.Debug);
        return Task.CompletedTask;
    }
}
