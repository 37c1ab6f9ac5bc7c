using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>
/// One life of a connection that sees every callback, and in one of them the protocol calls its transport back. Whatever it does there,
/// the same invariants hold for what it sees afterwards and for the bytes in both directions.
/// </summary>
public sealed class ReentrancyTests
{
    private const string Input = "hello, and more";
    private static readonly string Large = new('L', 5000);

    private static readonly string[] Both = ["ConnectionMade", "EofReceived", "PauseWriting", "ResumeWriting", "ConnectionLost"];
    private static readonly string[] Actions =
    [
        "Close", "Abort", "WriteSmall", "WriteLarge", "WriteLines", "Advance", "PauseReading", "ResumeReading", "PauseAndResume", "WriteEof",
        "SetPlain", "SetBuffered", "SetLimits", "CloseAndWrite", "Throw",
    ];

    public static TheoryData<string, string, int> Matrix()
    {
        var matrix = new TheoryData<string, string, int>();
        foreach (var action in Actions)
        {
            foreach (var callback in Both.Append("DataReceived")) matrix.Add(callback, action, StreamRig.Plain);
            foreach (var callback in Both.Concat(["GetBuffer", "BufferUpdated"])) matrix.Add(callback, action, 3);
        }

        return matrix;
    }

    [Theory]
    [Case("PROTO-006", "TCP-054", "TCP-065", "BUG-007", "BUG-020", "BUG-021")]
    [MemberData(nameof(Matrix))]
    public void Whatever_a_callback_calls_the_invariants_hold(string callback, string action, int bufferSize)
    {
        using var rig = new StreamRig(bufferSize);
        var written = "";
        var wasReached = false;
        rig.Callbacks.KeepsOpen = true;
        rig.Transport.SetWriteBufferLimits(high: 8, low: 2);
        rig.Callbacks.Once(callback, _ =>
        {
            wasReached = true;
            Act(rig, action, ref written);
        });

        Live(rig, ref written);

        Assert.True(wasReached);
        AssertOrder(rig);
        var isCutShort = action is "Close" or "Abort" or "CloseAndWrite" or "Throw";
        Assert.StartsWith(rig.Callbacks.Received.ToString(), Input, StringComparison.Ordinal);
        Assert.StartsWith(rig.Channel.Sent, written, StringComparison.Ordinal);
        if (!isCutShort) Assert.Equal(Input, rig.Callbacks.Received.ToString());
        if (!isCutShort && callback != "ConnectionLost") Assert.Equal(written, rig.Channel.Sent);
        AssertGone(rig);
    }

    private static void Live(StreamRig rig, ref string written)
    {
        rig.Pass(2);
        rig.Receive("hello");
        rig.Step(rig.Transport.ResumeReading);
        rig.Channel.Accept(0);
        Write(rig, "0123456789", ref written);
        rig.Receive(", and");
        rig.Step(rig.Transport.ResumeReading);
        Complete(rig);
        Write(rig, "later", ref written);
        rig.Channel.ReceiveLate(" more");
        rig.Pass(2);
        rig.Step(rig.Transport.ResumeReading);
        rig.Pass();
        rig.Channel.ReceiveEnd();
        rig.Pass();
        rig.Step(rig.Transport.ResumeReading);
        rig.Pass();
        Complete(rig);
        rig.Step(rig.Transport.Close);
        Complete(rig);
        rig.Pass(3);
    }

    private static void Complete(StreamRig rig)
    {
        while (rig.Channel.HasWriteOutstanding) rig.CompleteWrite();
    }

    private static void Write(StreamRig rig, string text, ref string written)
    {
        var isRefused = false;
        written += text;
        rig.Step(() =>
        {
            try
            {
                rig.Transport.Write(WritingTests.Bytes(text));
            }
            catch (InvalidOperationException)
            {
                isRefused = true;
            }
        });
        if (isRefused) written = written[..^text.Length];
    }

    private static void Act(StreamRig rig, string action, ref string written)
    {
        var transport = rig.Transport;
        switch (action)
        {
            case "Close":
                transport.Close();
                break;
            case "CloseAndWrite":
                transport.Close();
                transport.Write("after"u8);
                written += "after";
                break;
            case "Abort":
                transport.Abort();
                break;
            case "WriteSmall":
                written += "small";
                transport.Write("small"u8);
                break;
            case "WriteLarge":
                written += Large;
                transport.Write(WritingTests.Bytes(Large));
                break;
            case "WriteLines":
                written += "onetwo";
                transport.WriteLines(WritingTests.Parts("one", "two"));
                break;
            case "Advance":
                written += "abc";
                "abc"u8.CopyTo(transport.GetSpan(3));
                transport.Advance(3);
                break;
            case "PauseReading":
                transport.PauseReading();
                break;
            case "ResumeReading":
                transport.ResumeReading();
                break;
            case "PauseAndResume":
                transport.PauseReading();
                transport.ResumeReading();
                break;
            case "WriteEof":
                transport.WriteEof();
                break;
            case "SetPlain":
                transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, StreamRig.Plain));
                break;
            case "SetBuffered":
                transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, 4));
                break;
            case "SetLimits":
                transport.SetWriteBufferLimits(high: 0);
                break;
            case "Throw":
                throw new FormatException();
        }
    }

    private static void AssertOrder(StreamRig rig)
    {
        string[] orders = ["StartReading", "StopReading", "TryWrite", "StartWrite", "ShutdownWrite", "Close"];
        var callbacks = rig.Trace.Select(line => line.Split('(')[0]).Where(name => !orders.Contains(name)).ToList();

        Assert.Equal("ConnectionMade", callbacks[0]);
        Assert.Single(callbacks, "ConnectionMade");
        Assert.Equal("ConnectionLost", callbacks.Last(name => name is not ("PauseWriting" or "ResumeWriting")));
        Assert.Single(callbacks, "ConnectionLost");
        Assert.True(callbacks.Count(name => name == "EofReceived") <= 1);
        Assert.Equal("ConnectionLost", callbacks[^1]);
        var flow = callbacks.Where(name => name is "PauseWriting" or "ResumeWriting").ToList();
        Assert.All(flow, (name, index) => Assert.Equal(index % 2 == 0 ? "PauseWriting" : "ResumeWriting", name));
        Assert.DoesNotContain(callbacks.SkipWhile(name => name != "EofReceived"), name => name is "DataReceived" or "GetBuffer" or "BufferUpdated");
        Assert.Empty(rig.Callbacks.Violations);
    }

    private static void AssertGone(StreamRig rig)
    {
        Assert.Null(rig.Transport.Protocol);
        Assert.True(rig.Transport.IsClosing);
        Assert.False(rig.Transport.IsReading);
        Assert.Equal(0, rig.Transport.WriteBufferSize);
        Assert.Equal(0, rig.Connections.Count);
        Assert.Equal(0, rig.Loop.OpenChannels);
        Assert.False(rig.Loop.HasReadyWork);
    }
}
