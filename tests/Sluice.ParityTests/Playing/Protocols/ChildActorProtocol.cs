using System.Text.Json;

namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>
/// The protocol of an actor that has a child process. How the callbacks of one descriptor mix with those of another and with the end of the child is chance: each descriptor has a
/// trace of its own.
/// </summary>
internal sealed class ChildActorProtocol(World world, Actor actor) : SubprocessProtocol, IActorProtocol
{
    public Actor Actor => actor;

    /// <summary>Starts what a step says: a command line of the shell, or a program with arguments. Its streams are pipes unless they are "null" or "stdout".</summary>
    public static Task StartAsync(EventLoop loop, JsonElement step, Func<ChildActorProtocol> factory)
    {
        var options = new SubprocessOptions
        {
            StandardInput = StreamOf(step, "stdin"),
            StandardOutput = StreamOf(step, "stdout"),
            StandardError = StreamOf(step, "stderr"),
            WorkingDirectory = step.TryGetProperty("cwd", out var directory) ? directory.GetString() : null,
        };
        if (step.TryGetProperty("shell", out var command)) return loop.SubprocessShellAsync(factory, command.GetString()!, options);
        string[] words = [.. step.GetProperty("exec").EnumerateArray().Select(static word => word.GetString()!)];
        return loop.SubprocessExecAsync(factory, words[0], words[1..], options);
    }

    public override void ConnectionMade(ISubprocessTransport transport)
    {
        actor.Child = transport;
        actor.Made(transport);
    }

    public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
    {
        TraceOf(fd).Data(data);
        if (fd == 1) actor.Output(data.Length);
    }

    public override void PipeConnectionLost(int fd, Exception? exception) => Tell(TraceOf(fd), $"pipe_connection_lost {PythonNames.Of(exception)}", $"lost{fd}");

    public override void PauseWriting()
    {
        TraceOf(0).Note("pause_writing");
        actor.Happened("paused");
        actor.Once("pause");
    }

    public override void ResumeWriting()
    {
        TraceOf(0).Note("resume_writing");
        actor.Happened("resumed");
        actor.Once("resume");
    }

    public override void ProcessExited() => Tell(world.TraceOf(actor.Name), "process_exited", "exited");

    public override void ConnectionLost(Exception? exception) => actor.Lost(exception);

    private static SubprocessStream? StreamOf(JsonElement step, string name) => !step.TryGetProperty(name, out var stream) ? null : stream.GetString() switch
    {
        "null" => SubprocessStream.Null,
        "stdout" => SubprocessStream.ToStandardOutput,
        var other => throw new NotSupportedException($"No stream is called {other}."),
    };

    private ActorTrace TraceOf(int fd) => world.TraceOf($"{actor.Name} fd {fd}");

    private void Tell(ActorTrace trace, string entry, string fact)
    {
        trace.Note(entry);
        actor.Happened(fact);
        actor.Once(fact);
    }
}
