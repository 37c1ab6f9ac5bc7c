using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Sluice.ParityTests.Playing.Protocols;

namespace Sluice.ParityTests.Playing;

/// <summary>The words that an actor may be ordered to do. What one throws is noted under its word and the next is done. Owned by its actor.</summary>
internal sealed class ActorActions(World world, Actor actor)
{
    private int _written;
    private TimeSpan _base;

    private static EventLoop Loop => EventLoop.Current;

    private IBaseTransport Transport => actor.Transport;

    // Of a child, its output and its input.
    private IReadTransport Receiver => actor.Child is { } child ? child.StandardOutput! : actor.Receiver;

    private IWriteTransport Sender => actor.Child is { } child ? child.StandardInput! : actor.Sender;

    public void Run(JsonElement actions)
    {
        foreach (var action in actions.EnumerateArray())
        {
            var (word, value) = Scenario.CallOf(action);
            if (word == "raise") throw PythonNames.Make(value.GetString()!);
            try
            {
                Do(word, value);
            }
            catch (Exception exception)
            {
                actor.Note($"{word} {PythonNames.Of(exception)}");
            }
        }
    }

    private void Do(string word, JsonElement value)
    {
        if (actor.Endpoint is { } endpoint && TryDoOnEndpoint(endpoint, word, value)) return;
        if (actor.Child is { } child && TryDoOnChild(child, word, value)) return;
        switch (word)
        {
            case "write":
                Sender.Write(BytesOf(value));
                break;
            case "writelines":
                Sender.WriteLines([.. value.EnumerateArray().Select(part => (ReadOnlyMemory<byte>)BytesOf(part))]);
                break;
            case "write_eof":
                Sender.WriteEof();
                break;
            case "close":
                Transport.Close();
                break;
            case "abort":
                Sender.Abort();
                break;
            case "pause_reading":
                Receiver.PauseReading();
                break;
            case "resume_reading":
                Receiver.ResumeReading();
                break;
            case "limits":
                Sender.SetWriteBufferLimits(Limit(value, "high"), Limit(value, "low"));
                break;
            case "set_protocol":
                var other = world.AddActor(value.GetString()!);
                other.Transport = Transport;
                ((ITransport)Transport).SetProtocol(other.Protocol);
                break;
            case "sendfile":
                _ = actor.SendFileAsync(value);
                break;
            case "facts":
                foreach (var name in value.EnumerateArray().Select(static name => name.GetString()!)) actor.Note($"{name} {Fact(name)}");
                break;
            case "note":
                actor.Note(value.GetString()!);
                actor.Happened("note");
                break;
            case "at":
                world.ActorOf(value.GetProperty("actor").GetString()!).Act(value.GetProperty("do"));
                break;
            case "server":
                world.OnServer(value.GetString()!);
                break;
            default:
                Schedule(word, value);
                break;
        }
    }

    /// <summary>The words that mean something else to an endpoint of datagrams, and those that only it knows.</summary>
    private bool TryDoOnEndpoint(IDatagramTransport endpoint, string word, JsonElement value)
    {
        switch (word)
        {
            case "send":
                endpoint.SendTo(BytesOf(value));
                return true;
            case "send_to":
                endpoint.SendTo(BytesOf(value.GetProperty("data")), world.AddressOf(value.GetProperty("actor").GetString()!));
                return true;
            case "close":
                endpoint.Close();
                return true;
            case "abort":
                endpoint.Abort();
                return true;
            case "limits":
                endpoint.SetWriteBufferLimits(Limit(value, "high"), Limit(value, "low"));
                return true;
            case "set_protocol":
                var other = world.AddActor(value.GetString()!);
                other.Endpoint = endpoint;
                endpoint.SetProtocol(other.Datagrams!);
                return true;
            case "facts":
                foreach (var name in value.EnumerateArray().Select(static name => name.GetString()!)) actor.Note($"{name} {FactOf(endpoint, name)}");
                return true;
            default:
                return false;
        }
    }

    /// <summary>The words that only the transport of a child process knows.</summary>
    private static bool TryDoOnChild(ISubprocessTransport child, string word, JsonElement value)
    {
        switch (word)
        {
            case "kill":
                child.Kill();
                return true;
            case "terminate":
                child.Terminate();
                return true;
            case "send_signal":
                child.SendSignal((PosixSignal)value.GetInt32());
                return true;
            case "close_pipe":
                PipeOf(child, value.GetInt32())!.Close();
                return true;
            default:
                return false;
        }
    }

    private static IBaseTransport? PipeOf(ISubprocessTransport child, int fd) => fd switch
    {
        0 => child.StandardInput,
        1 => child.StandardOutput,
        _ => child.StandardError,
    };

    private static string FactOf(IDatagramTransport endpoint, string name) => name switch
    {
        "limits" => $"{endpoint.WriteBufferLimits.Low} {endpoint.WriteBufferLimits.High}",
        "is_buffering" => PythonNames.Of(endpoint.WriteBufferSize > 0),
        "is_closing" => PythonNames.Of(endpoint.IsClosing),
        "protocol" => (endpoint.Protocol as IActorProtocol)?.Actor.Name ?? "None",
        _ when name.StartsWith("extra ", StringComparison.Ordinal) => PythonNames.Of(endpoint.GetExtraInfo(name["extra ".Length..]) is not null),
        _ => throw new NotSupportedException($"No fact of an endpoint is called {name}."),
    };

    private void Schedule(string word, JsonElement value)
    {
        switch (word)
        {
            case "call_soon":
                Loop.CallSoon(() => Run(value));
                break;
            case "threadsafe":
                Loop.CallSoonThreadSafe(() => Run(value));
                break;
            case "cancelled":
                Loop.CallSoon(() => Run(value)).Cancel();
                break;
            case "base":
                _base = Loop.Time;
                break;
            case "call_at":
                CallAt(value);
                break;
            case "cancelled_timer":
                CallAt(value).Cancel();
                break;
            case "call_later":
                Loop.CallLater(After(value), () => Run(value.GetProperty("do")));
                break;
            case "busy":
                var end = Loop.Time + TimeSpan.FromMilliseconds(value.GetInt32());
                while (Loop.Time < end) Thread.SpinWait(100);
                break;
            default:
                throw new NotSupportedException($"No action is called {word}.");
        }
    }

    private TimerHandle CallAt(JsonElement timer) => Loop.CallAt(_base + After(timer), () => Run(timer.GetProperty("do")));

    private static TimeSpan After(JsonElement timer) => TimeSpan.FromMilliseconds(timer.GetProperty("ms").GetInt32());

    private static int? Limit(JsonElement limits, string name) => limits.TryGetProperty(name, out var value) ? value.GetInt32() : null;

    private byte[] BytesOf(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String) return Encoding.UTF8.GetBytes(content.GetString()!);
        var count = content.GetInt32();
        _written += count;
        return BytePattern.Take(_written - count, count);
    }

    private string Fact(string name) => name switch
    {
        "limits" => $"{Sender.WriteBufferLimits.Low} {Sender.WriteBufferLimits.High}",
        "is_buffering" => PythonNames.Of(Sender.WriteBufferSize > 0),
        "is_closing" => PythonNames.Of(Transport.IsClosing),
        "is_reading" => PythonNames.Of(Receiver.IsReading),
        "can_write_eof" => PythonNames.Of(Sender.CanWriteEof),
        "protocol" => (Transport.Protocol as IActorProtocol)?.Actor.Name ?? "None",
        "received" => $"{actor.Received}",
        "returncode" => actor.Child!.ReturnCode is { } code ? $"{code}" : "None",
        _ when name.StartsWith("pipe ", StringComparison.Ordinal) => PythonNames.Of(PipeOf(actor.Child!, name[^1] - '0') is not null),
        _ when name.StartsWith("extra ", StringComparison.Ordinal) => PythonNames.Of(Transport.GetExtraInfo(name["extra ".Length..]) is not null),
        _ => throw new NotSupportedException($"No fact is called {name}."),
    };
}
