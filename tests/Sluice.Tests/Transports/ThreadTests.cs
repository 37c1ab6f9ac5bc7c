using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>What acts refuses other threads before anything changes; what answers does so anywhere.</summary>
public sealed class ThreadTests
{
    private static readonly Dictionary<string, Action<StreamRig>> Acting = new()
    {
        ["Close"] = rig => rig.Transport.Close(),
        ["Abort"] = rig => rig.Transport.Abort(),
        ["PauseReading"] = rig => rig.Transport.PauseReading(),
        ["ResumeReading"] = rig => rig.Transport.ResumeReading(),
        ["Write"] = rig => rig.Transport.Write("x"u8),
        ["Write of nothing"] = rig => rig.Transport.Write([]),
        ["Write of a sequence"] = rig => rig.Transport.Write(WritingTests.Sequence("a", "b")),
        ["WriteLines"] = rig => rig.Transport.WriteLines(WritingTests.Parts("a")),
        ["WriteEof"] = rig => rig.Transport.WriteEof(),
        ["GetSpan"] = rig => rig.Transport.GetSpan(),
        ["GetMemory"] = rig => rig.Transport.GetMemory(),
        ["Advance"] = rig => rig.Transport.Advance(1),
        ["SetWriteBufferLimits"] = rig => rig.Transport.SetWriteBufferLimits(1, 1),
        ["SetProtocol"] = rig => rig.Transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, StreamRig.Plain)),
    };

    public static TheoryData<string> Members() => [.. Acting.Keys];

    [Theory]
    [MemberData(nameof(Members))]
    public void Acting_from_another_thread_throws_and_changes_nothing(string member)
    {
        using var rig = StreamRig.Started();
        Exception? thrown = null;
        rig.Step(() =>
        {
            rig.Transport.Write("queued"u8);
            rig.Transport.GetMemory(1);
            OnAnotherThread(() => thrown = Record.Exception(() => Acting[member](rig)));
            Assert.Equal("", rig.Take());
            rig.Transport.Advance(1);
        });
        rig.Pass();

        Assert.IsType<InvalidOperationException>(thrown);
        Assert.Contains("CallSoonThreadSafe", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("InvokeAsync", thrown.Message, StringComparison.Ordinal);
        Assert.Contains("ConfigureAwait(false)", thrown.Message, StringComparison.Ordinal);
        Assert.Equal("TryWrite(7)", rig.Take());
        Assert.Same(rig.Protocol, rig.Transport.Protocol);
        Assert.Equal((16384, 65536), rig.Transport.WriteBufferLimits);
        Assert.True(rig.Transport.IsReading);
        Assert.False(rig.Transport.IsClosing);
    }

    [Fact]
    public void Every_acting_member_of_a_transport_is_in_the_table()
    {
        string[] getters = ["IsClosing", "IsReading", "Protocol", "CanWriteEof", "WriteBufferSize", "WriteBufferLimits", "TryGetExtraInfo", "GetExtraInfo"];
        const System.Reflection.BindingFlags Own =
            System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.DeclaredOnly;
        var members = new List<System.Reflection.MemberInfo>();
        for (var type = typeof(SocketTransport); type != typeof(object); type = type.BaseType!) members.AddRange(type.GetMembers(Own));
        var acting = members.Select(member => member.Name).Where(name => !name.StartsWith("get_", StringComparison.Ordinal))
            .Except([.. getters, "ToString", ".ctor", "Create"]).Distinct().Order();

        Assert.Equal(Acting.Keys.Select(name => name.Split(' ')[0]).Distinct().Order(), acting);
    }

    [Fact]
    public void Getters_answer_on_any_thread()
    {
        using var rig = StreamRig.Started();
        var answers = new List<object?>();

        rig.Step(() => OnAnotherThread(() =>
        {
            ITransport transport = rig.Transport;
            answers.AddRange([transport.IsClosing, transport.IsReading, transport.Protocol, transport.CanWriteEof, transport.WriteBufferSize]);
            answers.AddRange([transport.WriteBufferLimits, transport.GetExtraInfo("peername"), transport.GetExtraInfo("nonsense", 5), transport.ToString()]);
        }));

        Assert.Equal([false, true, rig.Protocol, true, 0, (16384, 65536), rig.Channel.PeerName, 5, rig.Transport.ToString()], answers);
    }

    private static void OnAnotherThread(Action action)
    {
        var thread = new Thread(() => action());
        thread.Start();
        thread.Join();
    }
}
