using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Subprocesses;

/// <summary>What goes through the pipes of a child, and how they end.</summary>
internal static class SubprocessPipeChecks
{
    private static readonly SubprocessOptions WithoutPipes = new()
    {
        StandardInput = SubprocessStream.Null,
        StandardOutput = SubprocessStream.Null,
        StandardError = SubprocessStream.Null,
    };

    [Check("SUB-014")]
    public static async Task Outputs_never_mix(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Say, "to the output", "to the error");
        await child.Lost;
        Check.Equal("to the output", child.Text(1));
        Check.Equal("to the error", child.Text(2));
    }

    [Check("SUB-015")]
    public static async Task The_error_can_lead_to_the_output(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(
            null, new SubprocessOptions { StandardError = SubprocessStream.ToStandardOutput }, StageProgram.Say, "first ", "then");
        Check.That(child.Transport is { StandardError: null, StandardOutput: not null });
        await child.Lost;
        Check.Equal("first then", child.Text(1));
        Check.Equal(0, child.Received(2).Length);
    }

    [Check("SUB-006")]
    public static async Task A_shell_runs_a_command_line_until_its_input_ends(KernelStage stage)
    {
        var (transport, child) = await stage.Loop.SubprocessShellAsync(() => stage.Children.Watch(new RecordingSubprocessProtocol()), StageProgram.Copy.Script);
        transport.StandardInput!.Write("a line"u8);
        transport.StandardInput.Close();
        await child.Lost;
        Check.Equal("a line", child.Text(1));
        Check.Equal(0, child.Received(2).Length);
        Check.That(child.Trace.Contains("PipeConnectionLost(1, null)") && child.Trace.Contains("PipeConnectionLost(2, null)"));
        Check.Equal(0, transport.ReturnCode);
    }

    [Check("SUB-007")]
    public static async Task A_child_without_pipes_ends_with_its_end(KernelStage stage)
    {
        var (transport, child) = await stage.Loop.SubprocessShellAsync(
            () => stage.Children.Watch(new RecordingSubprocessProtocol()), StageProgram.ExitWithSeven.Script, WithoutPipes);
        Check.That(transport is { StandardInput: null, StandardOutput: null, StandardError: null });
        await child.Lost;
        Check.Equal(7, transport.ReturnCode);
        Check.Trace(child.Trace, "ConnectionMade", "ProcessExited(7)", "ConnectionLost(null)");
    }

    [Check("SUB-049")]
    public static async Task What_the_child_wrote_before_its_end_is_read_after_it(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Print, "50000");
        child.Transport.StandardOutput!.PauseReading();
        await child.Exited;
        await stage.SettleAsync();
        Check.That(!child.Lost.IsCompleted && !child.Trace.Contains("PipeConnectionLost(1, null)"));
        child.Transport.StandardOutput.ResumeReading();
        await child.Lost;
        Check.Bytes(new byte[50_000], child.Received(1));
    }

    [Check("SUB-063")]
    public static async Task A_full_input_pauses_the_child_s_protocol_and_resumes_it(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Copy);
        var written = 0;
        var input = child.Transport.StandardInput!;
        child.Transport.StandardOutput!.PauseReading();
        while (true)
        {
            input.Write(Payload.At(written, 32 * 1024));
            written += 32 * 1024;
            if (child.IsWritingPaused) break;
            Check.That(written < 8 * 1024 * 1024, "writing was never paused");
            await stage.NextPassAsync();
        }

        // The pause came inside the write; in the next pass the child may have taken some already.
        Check.That(input.WriteBufferSize > input.WriteBufferLimits.High);
        Check.Trace(child.Trace, "ConnectionMade", "PauseWriting");
        child.Transport.StandardOutput.ResumeReading();
        await stage.UntilAsync(() => !child.IsWritingPaused);
        input.Close();
        await child.Lost;
        Check.Bytes(Payload.Of(written), child.Received(1));
    }

    [Check("SUB-063")]
    public static async Task An_input_above_its_limit_is_aborted_alone(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(null, new SubprocessOptions { MaxWriteBufferSize = 100_000 }, StageProgram.Stay);
        for (var i = 0; i < 100 && !child.Transport.StandardInput!.IsClosing; i++) child.Transport.StandardInput.Write(new byte[10_000]);
        await child.WaitForPipeLostAsync(0);
        Check.That(child.Trace.Contains("PipeConnectionLost(0, WriteBufferLimitException)"));
        Check.That(child.Transport is { ReturnCode: null, IsClosing: false });
    }

    [Check("SUB-031")]
    public static async Task An_interactive_child_answers_line_by_line(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Interactive);
        await child.WaitForBytesAsync(1, "ready\n".Length);
        child.Transport.StandardInput!.Write("hello\n"u8);
        await child.WaitForBytesAsync(1, "ready\nhello\n".Length);
        child.Transport.StandardInput.Write("error trouble\n"u8);
        await child.WaitForBytesAsync(2, "trouble\n".Length);
        child.Transport.StandardInput.Write("stop 20\n"u8);
        await child.Lost;
        Check.Equal("ready\nhello\n", child.Text(1));
        Check.Equal("trouble\n", child.Text(2));
        Check.Equal(20, child.Transport.ReturnCode);
    }

    [Check("SUB-062")]
    public static async Task What_callbacks_throw_is_reported_and_changes_nothing(KernelStage stage)
    {
        var protocol = new RecordingSubprocessProtocol
        {
            OnMade = static _ => throw new FormatException("made"),
            OnData = static (_, _) => throw new FormatException("data"),
            OnPipeLost = static (fd, _) => throw new FormatException("pipe lost"),
            OnExited = static () => throw new FormatException("exited"),
            OnLost = static () => throw new FormatException("lost"),
        };
        var child = await stage.Children.StartAsync(protocol, null, StageProgram.Copy);
        child.Transport.StandardInput!.Write("x"u8);
        await child.WaitForBytesAsync(1, 1);
        child.Transport.StandardInput.Write("y"u8);
        await child.WaitForBytesAsync(1, 2);
        child.Transport.StandardInput.Close();
        await child.Lost;
        await stage.SettleAsync();

        string[] expected =
        [
            "ConnectionMade: made", "PipeDataReceived: data", "PipeDataReceived: data", "PipeConnectionLost: pipe lost", "PipeConnectionLost: pipe lost",
            "PipeConnectionLost: pipe lost", "ProcessExited: exited", "ConnectionLost: lost",
        ];
        var told = new List<string>();
        while (stage.Reports.Count > 0)
        {
            var report = stage.ClaimReport();
            Check.That(ReferenceEquals(report.Transport, child.Transport) && ReferenceEquals(report.Protocol, child));
            told.Add($"{report.Message["Exception in callback protocol.".Length..^2]}: {report.Exception!.Message}");
        }

        Check.Trace([.. told.Order(StringComparer.Ordinal)], expected.Order(StringComparer.Ordinal));
        Check.That(child.Transport.Protocol is null && child.Transport.ReturnCode == 0);
    }

    [Check("SUB-062")]
    public static async Task What_flow_callbacks_throw_is_reported_and_changes_nothing(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(
            new RecordingSubprocessProtocol { OnPause = static () => throw new FormatException("pause"), OnResume = static () => throw new FormatException("resume") },
            null,
            StageProgram.Copy);
        child.Transport.StandardOutput!.PauseReading();
        var written = 0;
        for (; !child.IsWritingPaused; written += 64 * 1024) child.Transport.StandardInput!.Write(new byte[64 * 1024]);
        child.Transport.StandardOutput.ResumeReading();
        await child.WaitForBytesAsync(1, written);
        await stage.UntilAsync(() => !child.IsWritingPaused);
        Check.Equal("protocol.PauseWriting() failed", stage.ClaimReport().Message);
        Check.Equal("protocol.ResumeWriting() failed", stage.ClaimReport().Message);
    }

    [Check("SUB-031")]
    public static async Task A_pipe_can_be_given_a_protocol_of_its_own(KernelStage stage)
    {
        var child = await stage.Children.StartAsync(StageProgram.Copy);
        var own = new RecordingReadProtocol();
        child.Transport.StandardError!.Close();
        await child.WaitForPipeLostAsync(2);
        var (transport, plain) = await stage.Loop.SubprocessExecAsync(() => new Heedless(), ChildKit.Shell, StageProgram.Say.Arguments("for the other", ""));
        transport.StandardOutput!.SetProtocol(own);
        await plain.Lost.Task;
        Check.Bytes("for the other"u8, own.Record.Received);
        Check.Trace([.. plain.Pipes.Order().Select(static fd => $"{fd}")], "0", "2");
    }

    /// <summary>A protocol that is not judged: the recording one expects the loss of each pipe.</summary>
    private sealed class Heedless : SubprocessProtocol
    {
        public List<int> Pipes { get; } = [];

        public TaskCompletionSource Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void PipeConnectionLost(int fd, Exception? exception) => Pipes.Add(fd);

        public override void ConnectionLost(Exception? exception) => Lost.SetResult();
    }
}
