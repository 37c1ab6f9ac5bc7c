using System.Runtime.InteropServices;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Subprocesses;

/// <summary>How a child begins, and what happens where none can.</summary>
internal static class SubprocessStartChecks
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Check("SUB-001", "SUB-002")]
    public static async Task A_child_has_three_pipes_and_echoes_what_it_is_given(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Copy);
        Check.Trace(child.Trace, "ConnectionMade");
        Check.That(child.Transport is { StandardInput: not null, StandardOutput: not null, StandardError: not null, ReturnCode: null, IsClosing: false });
        Check.That(ReferenceEquals(child, child.Transport.Protocol));

        var sent = 0;
        foreach (var length in (int[])[1, 5, 3_000, 100_000])
        {
            child.Transport.StandardInput!.Write(Payload.At(sent, length));
            sent += length;
            await child.WaitForBytesAsync(1, sent);
            Check.Bytes(Payload.Of(sent), child.Received(1));
        }

        Check.Equal(0, child.Received(2).Length);
        Check.That(child.Transport.ReturnCode is null, "the child has ended");
        child.Transport.StandardInput!.Close();
        await child.Lost;
        Check.Equal(0, child.Transport.ReturnCode);
    }

    [Check("SUB-018")]
    public static async Task A_child_that_ends_at_once_loses_no_callback(KernelStage stage)
    {
        for (var code = 0; code < 5; code++)
        {
            var child = await stage.Children.StartAsync(StageProgram.Exit, $"{code}");
            Check.Equal("ConnectionMade", child.Trace[0]);
            await child.Lost;
            Check.Equal(code, child.Transport.ReturnCode);
            Check.Trace(
                [.. child.Trace.Order(StringComparer.Ordinal)],
                "ConnectionLost(null)", "ConnectionMade", "PipeConnectionLost(0, null)", "PipeConnectionLost(1, null)", "PipeConnectionLost(2, null)", $"ProcessExited({code})");
        }
    }

    [Check("SUB-020", "SUB-021", "BUG-087")]
    public static async Task A_program_that_does_not_exist_is_not_found(KernelStage stage)
    {
        foreach (var input in (SubprocessStream?[])[null, SubprocessStream.Null])
        {
            foreach (var program in (string[])["sluice-no-such-program", "/sluice/no-such-program"])
            {
                var protocol = new RecordingSubprocessProtocol();
                var error = await Check.ThrowsAsync<FileNotFoundException>(() =>
                    stage.Loop.SubprocessExecAsync(() => protocol, program, ["x"], new SubprocessOptions { StandardInput = input }));
                Check.Equal(program, error.FileName);
                await stage.SettleAsync();
                Check.Equal(0, protocol.Trace.Count);

                // It is as free as it was.
                var (transport, _) = await stage.Loop.SubprocessExecAsync(() => stage.Children.Watch(protocol), ChildKit.Shell, StageProgram.Exit.Arguments("0"));
                Check.That(ReferenceEquals(protocol, transport.Protocol));
            }
        }
    }

    [Check("BUG-086")]
    public static async Task A_start_that_is_cancelled_leaves_no_child_and_calls_nobody(KernelStage stage)
    {
        using var before = new CancellationTokenSource();
        before.Cancel();
        var protocol = new RecordingSubprocessProtocol();
        await Check.ThrowsAsync<OperationCanceledException>(() =>
            stage.Loop.SubprocessExecAsync(() => protocol, ChildKit.Shell, StageProgram.Stay.Arguments(), cancellationToken: before.Token));

        using var during = new CancellationTokenSource();
        var starting = stage.Loop.SubprocessExecAsync(() => protocol, ChildKit.Shell, StageProgram.Stay.Arguments(), cancellationToken: during.Token);
        var isStarted = stage.Loop.Children.Count == 1;
        var number = isStarted ? stage.Loop.Children[0].ProcessId : 0;
        during.Cancel();
        var error = await Check.ThrowsAsync<OperationCanceledException>(() => starting);

        Check.That(isStarted, "the child was not started inside the call");
        Check.Equal(during.Token, error.CancellationToken);
        Check.That(!stage.IsChildLeft(number), "the child lives on, or is a zombie");
        Check.Equal(0, stage.Loop.Children.Count);
        Check.Equal(0, protocol.Trace.Count);
    }

    [Check("SUB-001")]
    public static async Task A_factory_that_fails_starts_nothing(KernelStage stage)
    {
        var mistake = new FormatException("no protocol today");
        var thrown = await Check.ThrowsAsync<FormatException>(() =>
            stage.Loop.SubprocessExecAsync<RecordingSubprocessProtocol>(() => throw mistake, ChildKit.Shell, StageProgram.Stay.Arguments()));
        Check.That(ReferenceEquals(mistake, thrown));
        await Check.ThrowsAsync<InvalidOperationException>(() =>
            stage.Loop.SubprocessExecAsync<RecordingSubprocessProtocol>(() => null!, ChildKit.Shell, StageProgram.Stay.Arguments()));
        var child = await stage.Children.StartAsync(StageProgram.Copy);
        await Check.ThrowsAsync<InvalidOperationException>(() => stage.Loop.SubprocessExecAsync(() => child, ChildKit.Shell, StageProgram.Stay.Arguments()));
        Check.Equal(1, stage.Loop.Children.Count);
    }

    [Check("SUB-019", "BUG-090")]
    public static Task What_no_process_can_have_is_refused_at_the_call(KernelStage stage)
    {
        void Refuses<T>(string program, string[] arguments, SubprocessOptions? options = null) where T : Exception =>
            Check.Throws<T>(() => stage.Loop.SubprocessExecAsync(() => new RecordingSubprocessProtocol(), program, arguments, options));

        Refuses<ArgumentException>("", []);
        Refuses<ArgumentException>("a\0b", []);
        Refuses<ArgumentException>("sh", ["-c", "exit 1\0"]);
        Refuses<ArgumentNullException>("sh", ["-c", null!]);
        Refuses<ArgumentNullException>(null!, []);
        Refuses<ArgumentNullException>("sh", null!);
        Check.Throws<ArgumentException>(() => stage.Loop.SubprocessShellAsync(() => new RecordingSubprocessProtocol(), "exit 0\0; exit 1"));
        Check.Throws<ArgumentNullException>(() => stage.Loop.SubprocessShellAsync(() => new RecordingSubprocessProtocol(), null!));
        Check.Throws<ArgumentNullException>(() => stage.Loop.SubprocessShellAsync<RecordingSubprocessProtocol>(null!, "exit 0"));

        Refuses<ArgumentException>("sh", [], new SubprocessOptions { WorkingDirectory = "" });
        Refuses<ArgumentException>("sh", [], new SubprocessOptions { WorkingDirectory = "/\0" });
        Refuses<ArgumentException>("sh", [], new SubprocessOptions { Executable = "" });
        Refuses<ArgumentException>("sh", [], new SubprocessOptions { NewSession = true, ProcessGroup = 0 });
        Refuses<ArgumentOutOfRangeException>("sh", [], new SubprocessOptions { ProcessGroup = -1 });
        Refuses<ArgumentOutOfRangeException>("sh", [], new SubprocessOptions { MaxWriteBufferSize = -1 });
        Refuses<ArgumentException>("sh", [], new SubprocessOptions { StandardOutput = SubprocessStream.ToStandardOutput });
        Refuses<ArgumentException>("sh", [], new SubprocessOptions { StandardInput = SubprocessStream.ToStandardOutput });
        foreach (var name in (string[])["", "=", "A=B", "A\0B"])
        {
            Refuses<ArgumentException>("sh", [], new SubprocessOptions { Environment = new Dictionary<string, string> { [name] = "x" } });
        }

        Refuses<ArgumentException>("sh", [], new SubprocessOptions { Environment = new Dictionary<string, string> { ["A"] = "x\0" } });
        return Task.CompletedTask;
    }

    [Check("SUB-022")]
    public static async Task A_handle_that_is_closed_or_stays_open_longer_than_needed_is_told_apart(KernelStage stage)
    {
        var (reader, writer) = stage.CreatePipe();
        using var keeper = reader;
        var options = new SubprocessOptions { StandardInput = SubprocessStream.Null, StandardOutput = SubprocessStream.To(writer) };
        var child = await stage.Children.StartAsync(null, options, StageProgram.Say, "through the pipe", "");
        Check.That(!writer.IsClosed && child.Transport.StandardOutput is null);
        writer.Dispose();
        Check.Throws<ObjectDisposedException>(() => stage.Loop.SubprocessExecAsync(() => new RecordingSubprocessProtocol(), ChildKit.Shell, StageProgram.Copy.Arguments(), options));

        var (_, received) = await stage.Loop.ConnectReadPipeAsync(() => new RecordingReadProtocol(), keeper);
        await received.Record.Lost;
        Check.Bytes("through the pipe"u8, received.Record.Received);
    }

    [Check("SUB-026")]
    public static async Task It_starts_in_its_directory_with_its_environment(KernelStage stage)
    {
        var options = new SubprocessOptions { WorkingDirectory = "/usr", Environment = new Dictionary<string, string> { ["SLUICE_CHILD"] = "set = so" } };
        var child = await stage.Children.StartAsync(null, options, StageProgram.SayPlace);
        await child.Lost;
        Check.Equal("/usr|set = so", child.Text(1));

        child = await stage.Children.StartAsync(null, options with { Environment = new Dictionary<string, string>() }, StageProgram.SayPlace);
        await child.Lost;
        Check.Equal("/usr|none", child.Text(1));
    }

    [Check("SUB-029", "SUB-060", "SUB-061")]
    public static async Task Its_number_is_what_the_child_says_and_what_the_transport_tells(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.SayNumber);
        var transport = child.Transport;
        var info = transport.GetExtraInfo(ExtraInfo.Subprocess)!;
        Check.That(ReferenceEquals(info, transport.GetExtraInfo("subprocess")) && transport.GetExtraInfo(ExtraInfo.Socket) is null);
        Check.Equal("nothing", transport.GetExtraInfo("sockname", "nothing"));
        await child.Lost;

        Check.Equal($"{transport.ProcessId}", child.Text(1));
        Check.Equal($"<SubprocessTransport pid={transport.ProcessId} returncode=0>", transport.ToString()!);
        Check.That(info.ProcessId == transport.ProcessId && info is { ReturnCode: 0, Program: ChildKit.Shell });
        Check.Trace(info.Arguments, [ChildKit.Shell, .. StageProgram.SayNumber.Arguments()]);

        child = await stage.Children.StartAsync(StageProgram.Copy);
        Check.Equal($"<SubprocessTransport pid={child.Transport.ProcessId} running>", child.Transport.ToString()!);
    }

    [Check("SUB-001")]
    public static async Task Its_callbacks_run_in_the_context_of_the_start(KernelStage stage)
    {
        var seen = new HashSet<string?>();
        Ambient.Value = "starter";
        var protocol = new RecordingSubprocessProtocol
        {
            OnMade = _ => seen.Add(Ambient.Value),
            OnData = (_, _) => seen.Add(Ambient.Value),
            OnPipeLost = (_, _) => seen.Add(Ambient.Value),
            OnExited = () => seen.Add(Ambient.Value),
            OnLost = () => seen.Add(Ambient.Value),
        };
        var starting = stage.Children.StartAsync(protocol, null, StageProgram.Say, "a", "b");
        Ambient.Value = "changed";
        var child = await starting;
        await child.Lost;
        Check.Trace([.. seen.Select(static value => value ?? "nothing")], "starter");
    }

    [Check("SUB-057")]
    public static async Task Members_that_act_belong_to_the_loop_s_thread(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Copy);
        var failures = new List<Exception>();
        var thread = new Thread(() =>
        {
            foreach (var act in (Action[])[child.Transport.Close, child.Transport.Kill, child.Transport.Terminate, () => child.Transport.SendSignal(PosixSignal.SIGHUP)])
            {
                try
                {
                    act();
                }
                catch (InvalidOperationException exception) when (exception is not ProcessLookupException)
                {
                    failures.Add(exception);
                }
            }
        });
        thread.Start();
        thread.Join();
        Check.Equal(4, failures.Count);
        Check.That(child.Transport is { IsClosing: false, ReturnCode: null });
    }
}
