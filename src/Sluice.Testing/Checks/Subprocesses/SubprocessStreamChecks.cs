using System.Text;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Subprocesses;

/// <summary>The high-level process: its streams, and what goes through them.</summary>
internal static class SubprocessStreamChecks
{
    private static readonly SubprocessOptions Piped = new()
    {
        StandardInput = SubprocessStream.Pipe,
        StandardOutput = SubprocessStream.Pipe,
        StandardError = SubprocessStream.Pipe,
    };

    private static readonly SubprocessOptions Quiet = new()
    {
        StandardInput = SubprocessStream.Null,
        StandardOutput = SubprocessStream.Null,
        StandardError = SubprocessStream.Null,
    };

    [Check("SUB-033")]
    public static async Task Nothing_is_piped_unless_it_is_asked_for(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(null, StageProgram.Exit, "4");
        Check.That(child is { StandardInput: null, StandardOutput: null, StandardError: null });
        var result = await child.CommunicateAsync();
        Check.That(result is { ReturnCode: 4, StandardOutput: null, StandardError: null });
        Check.That(result.GetOutputText().Length == 0 && result.GetErrorText().Length == 0);

        await using var quiet = await stage.Children.OpenAsync(Quiet, StageProgram.Say, "nobody", "hears");
        Check.Equal(0, (await quiet.CommunicateAsync()).ReturnCode);
        Check.Throws<ArgumentException>(() => quiet.CommunicateAsync("x"u8.ToArray()));
    }

    [Check("SUB-038")]
    public static async Task What_is_written_to_a_copying_child_comes_back(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Copy);
        await child.StandardInput!.WriteAsync("some data"u8.ToArray());
        await child.StandardInput.FlushAsync();
        await child.StandardInput.DisposeAsync();
        using var reader = new StreamReader(child.StandardOutput!);
        Check.Equal("some data", await reader.ReadToEndAsync());
        Check.Equal(0, await child.WaitAsync());
        Check.Equal(0, child.ReturnCode);
    }

    [Check("SUB-038")]
    public static async Task What_dotnet_builds_on_streams_stays_on_the_loop_s_thread(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Interactive);
        using var lines = new StreamReader(child.StandardOutput!);
        await using var writer = new StreamWriter(child.StandardInput!) { AutoFlush = false };
        Check.Equal("ready", await lines.ReadLineAsync());
        for (var i = 0; i < 20; i++)
        {
            await writer.WriteLineAsync($"line {i}");
            await writer.FlushAsync();
            Check.Equal($"line {i}", await lines.ReadLineAsync());
            Check.That(EventLoop.TryGetCurrent() == stage.Loop, "the await has left the loop's thread");
        }

        await writer.WriteLineAsync("stop 0");
        await writer.FlushAsync();
        Check.That(await lines.ReadLineAsync() is null);
        Check.Equal(0, await child.WaitAsync());

        await using var copy = await stage.Children.OpenAsync(Piped, StageProgram.Copy);
        using var source = new MemoryStream(Payload.Of(300_000));
        using var target = new MemoryStream();
        var copied = copy.StandardOutput!.CopyToAsync(target);
        await source.CopyToAsync(copy.StandardInput!);
        await copy.StandardInput!.DisposeAsync();
        await copied;
        Check.That(EventLoop.TryGetCurrent() == stage.Loop, "the await has left the loop's thread");
        Check.Bytes(Payload.Of(300_000), target.ToArray());
    }

    [Check("SUB-039")]
    public static async Task Communicate_feeds_and_collects_and_waits(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Copy);
        var result = await child.CommunicateAsync("some data"u8.ToArray());
        Check.Bytes("some data"u8, result.StandardOutput);
        Check.Equal("some data", result.GetOutputText());
        Check.Equal(0, result.StandardError!.Length);
        Check.That(result.ReturnCode == 0 && child.ReturnCode == 0);

        result = await stage.Children.RunAsync(StageProgram.Say, null, "öut", "err");
        Check.Equal("öut", result.GetOutputText());
        Check.Equal("err", result.GetErrorText(Encoding.ASCII));
    }

    [Check("SUB-041")]
    public static async Task Communicate_does_not_mind_a_child_that_does_not_read(KernelStage stage)
    {
        foreach (var length in (int[])[10, 1_000_000])
        {
            await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Exit, "3");
            var result = await child.CommunicateAsync(new byte[length]);
            Check.Equal(3, result.ReturnCode);
            Check.Equal(0, result.StandardOutput!.Length);
        }
    }

    [Check("SUB-042")]
    public static async Task Writing_to_a_child_that_has_ended_fails(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Exit, "3");
        await Check.ThrowsAsync<IOException>(async () =>
        {
            for (var i = 0; i < 1000; i++) await child.StandardInput!.WriteAsync(new byte[65_536]);
        });
        await child.WaitAsync();
        await stage.SettleAsync();
        Check.Throws<IOException>(() => child.StandardInput!.Write("x"u8));
        await child.StandardInput!.DisposeAsync();
        Check.Throws<ObjectDisposedException>(() => child.StandardInput.Write("x"u8));
    }

    [Check("SUB-043")]
    public static async Task As_much_as_one_likes_goes_through_without_a_deadlock(KernelStage stage)
    {
        foreach (var length in (int[])[65_536, 65_537, 1_000_000])
        {
            var result = await stage.Children.RunAsync(StageProgram.Copy, Payload.Of(length));
            Check.Bytes(Payload.Of(length), result.StandardOutput);
        }
    }

    [Check("SUB-064")]
    public static async Task Input_above_the_hard_limit_of_the_buffer_is_fed_as_the_child_reads(KernelStage stage)
    {
        const int Length = 3_000_000;
        var options = Piped with { MaxWriteBufferSize = 200_000 };
        await using var child = await stage.Children.OpenAsync(options, StageProgram.Copy);
        var result = await child.CommunicateAsync(Payload.Of(Length));
        Check.Bytes(Payload.Of(Length), result.StandardOutput);

        // Writers that do not wait for each other take turns, and none of them meets the limit.
        await using var other = await stage.Children.OpenAsync(options with { ReadLimit = 2 * Length }, StageProgram.Copy);
        var writes = Enumerable.Range(0, 30).Select(i => other.StandardInput!.WriteAsync(Payload.Of(100_000)).AsTask()).ToList();
        await Task.WhenAll(writes);
        result = await other.CommunicateAsync();
        Check.Equal(Length, result.StandardOutput!.Length);
        Check.Bytes(Payload.Of(100_000), result.StandardOutput.AsSpan(^100_000..));
    }

    [Check("SUB-065")]
    public static async Task A_second_communicate_returns_what_a_cancelled_one_had_collected(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Stay);
        using var source = new CancellationTokenSource();

        // Once it has begun to speak, the first call finds the rest there.
        var letter = new byte[1];
        Check.Equal(1, await child.StandardOutput!.ReadAsync(letter));
        var first = child.CommunicateAsync(cancellationToken: source.Token);
        for (var i = 0; i < 20; i++) await stage.SettleAsync();
        source.Cancel();
        await Check.ThrowsAsync<OperationCanceledException>(() => first);

        child.Kill();
        Check.Equal("eady\n", (await child.CommunicateAsync()).GetOutputText());
    }

    [Check("SUB-044")]
    public static async Task One_write_of_any_size_is_drained(KernelStage stage)
    {
        foreach (var length in (int[])[8_192, 8_193, 219_263, 219_264])
        {
            await using var child = await stage.Children.OpenAsync(Piped with { ReadLimit = 1_000_000 }, StageProgram.Copy);
            await child.StandardInput!.WriteAsync(Payload.Of(length));
            await child.StandardInput.FlushAsync();
            var result = await child.CommunicateAsync();
            Check.Bytes(Payload.Of(length), result.StandardOutput);
        }
    }

    [Check("SUB-045")]
    public static async Task Ten_at_once_each_get_their_own(KernelStage stage)
    {
        var runs = new List<Task<SubprocessResult>>();
        for (var i = 0; i < 10; i++) runs.Add(stage.Children.RunAsync(StageProgram.Copy, Encoding.UTF8.GetBytes($"number {i}")));
        for (var i = 0; i < 10; i++) Check.Equal($"number {i}", (await runs[i]).GetOutputText());
    }

    [Check("SUB-046")]
    public static async Task Reading_rests_at_the_limit_and_nothing_is_lost(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped with { ReadLimit = 10 }, StageProgram.Print, "21");
        await child.WaitAsync();
        await stage.SettleAsync();
        var transport = stage.Loop.Children.Single(transport => transport.ProcessId == child.ProcessId);
        Check.That(transport.StandardOutput is { IsReading: false, IsClosing: false }, "the pipe does not rest");
        var buffer = new byte[5];
        Check.Equal(5, await child.StandardOutput!.ReadAsync(buffer));
        var result = await child.CommunicateAsync();
        Check.Equal(16, result.StandardOutput!.Length);
    }

    [Check("SUB-046")]
    public static async Task A_child_whose_output_nobody_reads_is_held_up(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Gush);
        await stage.SettleAsync();
        var transport = stage.Loop.Children.Single();
        await stage.UntilAsync(() => transport.StandardOutput is { IsReading: false });
        var buffer = new byte[1_000_000];
        for (var total = 0; total < 2_000_000;) total += await child.StandardOutput!.ReadAsync(buffer);
        Check.That(child.ReturnCode is null);
        await Check.ThrowsAsync<NotSupportedException>(() => Task.FromResult(child.StandardOutput!.Read(buffer)));
    }

    [Check("SUB-046")]
    public static async Task An_output_rests_each_time_that_too_much_waits(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped with { ReadLimit = 10_000 }, StageProgram.Print, "1000000");
        var pipe = stage.Loop.Children.Single().StandardOutput!;
        var buffer = new byte[1_000_000];
        for (var round = 0; round < 3; round++)
        {
            await stage.UntilAsync(() => !pipe.IsReading);
            Check.That(!pipe.IsClosing, $"it did not rest in round {round}");
            while (!pipe.IsReading) _ = await child.StandardOutput!.ReadAsync(buffer);
        }
    }

    [Check("SUB-039")]
    public static async Task A_child_that_writes_too_much_is_killed(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Gush);
        var error = await Check.ThrowsAsync<SubprocessOutputLimitException>(() => child.CommunicateAsync(outputLimit: 100_000));
        Check.Equal(100_000, error.Limit);
        Check.Equal(-9, child.ReturnCode);
        Check.Equal(100_000, (await Subprocess.RunAsync(ChildKit.Shell, StageProgram.Print.Arguments("100000"), outputLimit: 100_000)).StandardOutput!.Length);
        Check.Throws<ArgumentOutOfRangeException>(() => child.CommunicateAsync(outputLimit: -1));
    }

    [Check("SUB-039")]
    public static async Task A_second_reader_of_an_output_is_refused(KernelStage stage)
    {
        await using var child = await stage.Children.OpenAsync(Piped, StageProgram.Copy);
        var buffer = new byte[10];
        var first = child.StandardOutput!.ReadAsync(buffer).AsTask();
        await Check.ThrowsAsync<InvalidOperationException>(() => child.StandardOutput.ReadAsync(new byte[1]).AsTask());
        using var cancellation = new CancellationTokenSource();
        var second = child.StandardError!.ReadAsync(buffer, cancellation.Token).AsTask();
        cancellation.Cancel();
        await Check.ThrowsAsync<OperationCanceledException>(() => second);
        await child.StandardInput!.WriteAsync("still"u8.ToArray());
        Check.That(await first is > 0 and <= 5);
        Check.Equal(0, await child.StandardError.ReadAsync(Memory<byte>.Empty));
    }
}
