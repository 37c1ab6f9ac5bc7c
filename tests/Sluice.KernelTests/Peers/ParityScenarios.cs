using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>The scenarios of asyncio_traces.py, for our transports: what each end does in which callback. Used by <see cref="ParityTests"/>.</summary>
internal static class ParityScenarios
{
    private static readonly byte[] Big = new byte[32 << 20];

    private delegate void Act(RecordingProtocol protocol);

    /// <summary>Makes the client's and the server's protocol of a scenario.</summary>
    public static (RecordingProtocol Client, RecordingProtocol Server) Make(string scenario) => scenario switch
    {
        "the server answers and closes" =>
            (Protocol(made: Say("hello"u8)), Protocol(data: WriteAndClose("hello back"u8.ToArray()))),
        "the end of the stream kept open" => (Protocol(made: SayAndEnd), Protocol(eof: AnswerAndKeepOpen)),
        "close with a full queue" => (Protocol(made: ResumeLater), Protocol(made: WriteAndClose(Big))),
        "abort with a full queue" => (Protocol(made: ResumeLater), Protocol(made: WriteAndAbort)),
        "an exception in data_received" => (Protocol(made: Say("hello"u8)), Protocol(data: Fail)),
        "an exception in eof_received" => (Protocol(made: SayAndEnd), Protocol(eof: FailAtEnd)),
        "a pause in connection_made" => (Protocol(made: ResumeLater), Protocol(made: WriteAndClose("early"u8.ToArray()))),
        "a close in connection_made" => (Protocol(made: static protocol => protocol.Transport.Close()), Protocol()),
        _ => throw new ArgumentException($"There is no scenario {scenario}.", nameof(scenario)),
    };

    private static RecordingProtocol Protocol(Act? made = null, Act? data = null, Func<RecordingProtocol, bool>? eof = null)
    {
        var protocol = new RecordingProtocol();
        protocol.OnMade = _ => made?.Invoke(protocol);
        protocol.OnData = _ => data?.Invoke(protocol);
        protocol.OnEof = () => eof?.Invoke(protocol) ?? false;
        return protocol;
    }

    private static Act Say(ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        return protocol => protocol.Transport.Write(bytes);
    }

    private static void SayAndEnd(RecordingProtocol protocol)
    {
        protocol.Transport.Write("question"u8);
        protocol.Transport.WriteEof();
    }

    private static bool AnswerAndKeepOpen(RecordingProtocol protocol)
    {
        protocol.Transport.Write("answer"u8);
        EventLoop.Current.CallSoon(protocol.Transport.Close);
        return true;
    }

    private static void ResumeLater(RecordingProtocol protocol)
    {
        protocol.Transport.PauseReading();
        EventLoop.Current.CallSoon(protocol.Transport.ResumeReading);
    }

    private static Act WriteAndClose(byte[] data) => protocol =>
    {
        protocol.Transport.Write(data);
        protocol.Transport.Close();
    };

    private static void WriteAndAbort(RecordingProtocol protocol)
    {
        protocol.Transport.Write(Big);
        protocol.Transport.Abort();
    }

    // ArgumentException is to .NET what ValueError is to Python.
    private static void Fail(RecordingProtocol protocol) => throw new ArgumentException("from a callback");

    private static bool FailAtEnd(RecordingProtocol protocol) => throw new ArgumentException("from a callback");
}
