using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.KernelTests.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Subprocesses.Kit;
using Sluice.KernelTests.Transports.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Subprocesses;

/// <summary>
/// No child is left behind, nor what it took. Counted for the whole process, hence alone. SLUICE_SOAK_CHILDREN asks for more of them.
/// </summary>
[Collection(nameof(CostTests))]
public sealed class ReapingTests
{
    private const int AtOnce = 8;
    private static readonly string? Asked = Environment.GetEnvironmentVariable("SLUICE_SOAK_CHILDREN");

    private static int Children => int.TryParse(Asked, out var count) ? count : 5_000;

    private static readonly SubprocessOptions Quiet = new()
    {
        StandardInput = SubprocessStream.Null,
        StandardOutput = SubprocessStream.Null,
        StandardError = SubprocessStream.Null,
    };

    [Fact, Case("SUB-023"), Case("SUB-024")]
    public void Twenty_short_children_in_turn_leave_the_descriptors_as_they_were() => PeerRun.OnLoop(async _ =>
    {
        await Subprocess.RunAsync("true", [], options: Quiet);
        var before = Bytes.SettledDescriptors();
        for (var i = 0; i < 20; i++) Assert.Equal(0, (await Subprocess.RunAsync("true", [], options: Quiet)).ReturnCode);
        Assert.Equal(before, Bytes.SettledDescriptors());
    });

    [Fact, Case("SUB-021"), Case("BUG-087")]
    public void A_thousand_failed_starts_leave_no_descriptor() => PeerRun.OnLoop(async loop =>
    {
        await FailAsync(10);
        var before = Bytes.SettledDescriptors();
        await FailAsync(1_000);
        Assert.Equal(before, Bytes.SettledDescriptors());
        Assert.Empty(loop.Members.Children.Snapshot());

        static async Task FailAsync(int count)
        {
            for (var i = 0; i < count; i++) await Assert.ThrowsAsync<FileNotFoundException>(() => Subprocess.RunAsync("/sluice/no-such-program", []));
        }
    });

    [Fact, Case("BUG-084"), Case("BUG-091")]
    public async Task Thousands_of_children_leave_descriptors_threads_and_no_zombies()
    {
        using var loop = EventLoop.Start();
        await RunAsync(loop, 200);
        var before = Footprint.Take();
        var watch = Stopwatch.StartNew();
        for (var slice = 1; slice <= 5; slice++)
        {
            await RunAsync(loop, Children / 5);
            if (Asked is not null) Console.WriteLine(FormattableString.Invariant($"{watch.Elapsed.TotalSeconds,6:F1} s, {Children / 5 * slice:N0} children: {Footprint.Take()}"));
        }

        var after = Footprint.Take();
        Assert.Equal(before.Descriptors, after.Descriptors);
        Assert.Equal(before.Threads, after.Threads);
        Assert.InRange(after.Heap - before.Heap, long.MinValue, 256 * 1024);
        Assert.Empty(ProcessFiles.Zombies());
    }

    [Fact, Case("BUG-086"), Case("BUG-091")]
    public void The_end_of_a_loop_kills_and_reaps_what_runs_and_every_callback_comes()
    {
        var stubborn = new RecordingSubprocessProtocol();
        var piped = new RecordingSubprocessProtocol();
        var loop = new EventLoop();
        loop.RunUntilComplete(async () =>
        {
            await loop.SubprocessExecAsync(() => stubborn, "sh", ["-c", "trap '' TERM; echo ready; exec sleep 1000"]);
            await loop.SubprocessExecAsync(() => piped, "cat", []);
            await stubborn.WaitForBytesAsync(1, 6);
        });
        var watch = Stopwatch.StartNew();
        loop.Dispose();

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"it took {watch.Elapsed}");
        foreach (var protocol in new[] { stubborn, piped })
        {
            Assert.Empty(protocol.Violations);
            Assert.Equal("ConnectionLost(null)", protocol.Trace[^1]);
            Assert.Equal(-9, protocol.Transport.ReturnCode);
            Assert.False(ProcessFiles.IsChildOfOurs(protocol.Transport.ProcessId));
        }
    }

    [Fact, Case("SUB-059")]
    public async Task Processes_of_others_keep_their_statuses_and_so_do_ours()
    {
        using var loop = EventLoop.Start();
        var ours = loop.InvokeAsync(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await using var child = await Subprocess.StartAsync("sh", ["-c", $"exit {i}"], Quiet);
                Assert.Equal(i, await child.WaitAsync());
            }
        });
        for (var i = 0; i < 100; i++)
        {
            using var process = Process.Start("sh", ["-c", $"exit {i}"]);
            await process.WaitForExitAsync();
            Assert.Equal(i, process.ExitCode);
        }

        await ours.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact, Case("SUB-057")]
    public async Task A_loop_on_a_thread_of_its_own_notices_the_end_too_and_has_no_thread_per_child()
    {
        using var loop = EventLoop.Start();
        await loop.InvokeAsync(async () =>
        {
            var before = Footprint.Take();
            var children = new List<Subprocess>();
            for (var i = 0; i < 20; i++) children.Add(await Subprocess.StartAsync("sleep", ["1000"], Quiet));
            Assert.Equal(before.Threads, Footprint.Take().Threads);
            foreach (var child in children) await child.DisposeAsync();
        }).WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact, Case("BUG-089")]
    public void Handles_of_the_user_s_keep_their_flags()
    {
        var (reader, writer) = AnonymousPipe();
        using (reader)
        using (writer)
        {
            var before = (FlagsOf(reader), FlagsOf(writer));
            PeerRun.OnLoop(async _ =>
            {
                var options = Quiet with
                {
                    StandardOutput = SubprocessStream.To(writer),
                    ExtraDescriptors = new Dictionary<int, SafeHandle> { [5] = reader },
                };
                Assert.Equal(0, (await Subprocess.RunAsync("true", [], options: options)).ReturnCode);
                await Assert.ThrowsAsync<FileNotFoundException>(() => Subprocess.RunAsync("/sluice/none", [], options: options));
            });
            Assert.Equal(before, (FlagsOf(reader), FlagsOf(writer)));
        }
    }

    private static Task RunAsync(EventLoop loop, int count) => loop.InvokeAsync(async () =>
    {
        var left = count;
        var lanes = Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (left-- > 0)
            {
                await using var child = await Subprocess.StartAsync("true", [], Quiet with { StandardOutput = SubprocessStream.Pipe });
                Assert.Equal(0, await child.WaitAsync());
            }
        });
        await Task.WhenAll(lanes);
    }).WaitAsync(TimeSpan.FromSeconds(60 + count / 50));

    private static (SafeFileHandle Reader, SafeFileHandle Writer) AnonymousPipe()
    {
        Assert.True(Native.Syscalls.System.Pipe(out var reading, out var writing).IsNone);
        return (new SafeFileHandle(reading, ownsHandle: true), new SafeFileHandle(writing, ownsHandle: true));
    }

    private static string FlagsOf(SafeFileHandle handle) =>
        File.ReadLines($"/proc/self/fdinfo/{handle.DangerousGetHandle()}").First(static line => line.StartsWith("flags", StringComparison.Ordinal));
}
