using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>The machine of a datagram transport, whole: each state against each transition.</summary>
public sealed class DatagramStateTests
{
    private delegate bool Transition(ref DatagramState state);

    private static readonly Dictionary<string, (Transition Make, string From, string To)> Lives = new()
    {
        ["TryOpen"] = (static (ref state) => state.TryOpen(), "Opening", "Open"),
        ["TryAbandon"] = (static (ref state) => state.TryAbandon(), "Opening", "Lost"),
        ["TryClose"] = (static (ref state) => state.TryClose(), "Open", "Closing"),
        ["TryLose"] = (static (ref state) => state.TryLose(), "Open Closing", "Lost"),
        ["TryRelease"] = (static (ref state) => state.TryRelease(), "Lost", "Closed"),
    };

    public static TheoryData<string> Names => [.. Lives.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_transition_happens_exactly_where_the_table_says_so(string name)
    {
        var (make, from, to) = Lives[name];
        foreach (var life in Enum.GetValues<Life>())
        {
            var state = At(life);
            var happens = from.Split(' ').Contains($"{life}");
            Assert.Equal(happens, make(ref state));
            Assert.Equal(happens ? to : $"{life}", $"{state.Life}");
            Assert.Equal(state.Life >= Life.Closing, state.IsClosing);
            Assert.Equal(state.Life >= Life.Lost, state.IsLost);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_kernel_is_asked_once_at_a_time_and_not_while_it_is_full(bool isBlocked)
    {
        var state = At(Life.Open);
        Assert.False(state.TryUnblock());
        Assert.True(state.TryBeginFlush());
        Assert.False(state.TryBeginFlush());
        Assert.False(state.TryUnblock());
        state.EndFlush(isBlocked);
        Assert.Equal(isBlocked ? SendSide.Blocked : SendSide.Ready, state.Sends);
        Assert.Equal(isBlocked, state.TryUnblock());
        Assert.True(state.TryBeginFlush());
    }

    [Theory]
    [InlineData(Life.Lost, false)]
    [InlineData(Life.Closing, true)]
    internal void A_kernel_is_asked_until_the_endpoint_is_lost(Life life, bool isAsked)
    {
        var state = At(life);
        Assert.Equal(isAsked, state.TryBeginFlush());
    }

    private static DatagramState At(Life life)
    {
        var state = new DatagramState();
        if (life >= Life.Open) state.TryOpen();
        if (life >= Life.Closing) state.TryClose();
        if (life >= Life.Lost) state.TryLose();
        if (life >= Life.Closed) state.TryRelease();
        Assert.Equal(life, state.Life);
        return state;
    }
}
