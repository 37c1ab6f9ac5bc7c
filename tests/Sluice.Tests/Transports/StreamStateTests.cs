using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>
/// The machine of a stream transport, whole: every combination of its fields against every transition. A combination is written as
/// "Life Reads Writes", with "Reset" behind it where the peer is to see one.
/// </summary>
public sealed class StreamStateTests
{
    private const string Start = "Opening On Open";

    private static readonly string[] Lives = Enum.GetNames<Life>();
    private static readonly string[] ReadSides = Enum.GetNames<ReadSide>();
    private static readonly string[] WriteSides = Enum.GetNames<WriteSide>();
    private static readonly string[] Resets = ["", " Reset"];

    // What a transition asks for, and what it changes. Anything that a row does not name may be anything, and stays.
    private static readonly Dictionary<string, Row> Table = new()
    {
        ["TryOpen"] = new("Opening", Life: "Open"),
        ["TryAbandon"] = new("Opening", Life: "Lost"),
        ["TryClose"] = new("Open", Life: "Closing"),
        ["TryAbort"] = new("Open Closing", NotReset: true, Life: "Closing", Resets: true),
        ["TryFail"] = new("Open Closing", NotReset: true, Resets: true),
        ["TryLose"] = new("Open Closing", Life: "Lost"),
        ["TryRelease"] = new("Lost", Life: "Closed"),
        ["TryPause"] = new("Open", WhenReads: "On", Reads: "Paused"),
        ["TryResume"] = new("Open", WhenReads: "Paused", Reads: "On"),
        ["TryEndReading"] = new("Open", WhenReads: "On", Reads: "Ended"),
        ["TryBeginWriteEof"] = new("Open", WhenWrites: "Open", Writes: "Ending"),
        ["TryEndWriting"] = new("Open", WhenWrites: "Ending", Writes: "Ended"),
    };

    private static readonly Dictionary<string, string[]> Paths = Explore();

    /// <summary>Nobody pauses, ends or resets what is not open yet.</summary>
    private static IEnumerable<string> Unreachable => All().Where(state => state.StartsWith("Opening", StringComparison.Ordinal) && state != Start);

    public static TheoryData<string, string, bool> Pairs()
    {
        var pairs = new TheoryData<string, string, bool>();
        foreach (var state in All())
        {
            foreach (var transition in Table.Keys) pairs.Add(state, transition, !Unreachable.Contains(state));
        }

        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Each_transition_happens_exactly_where_the_table_says_so(string state, string transition, bool isReachable)
    {
        if (!isReachable)
        {
            Assert.DoesNotContain(state, Paths.Keys);
            return;
        }

        var (happens, successor) = Expected(state, transition);
        var machine = Replay(Paths[state]);
        Assert.Equal(state, Describe(machine));

        Assert.Equal(happens, Apply(ref machine, transition));

        Assert.Equal(successor, Describe(machine));
        Assert.False(happens && Apply(ref machine, transition), "it happens twice");
    }

    [Fact]
    public void Exactly_the_listed_combinations_can_be_reached()
    {
        Assert.Equal(All().Except(Unreachable).Order(), Paths.Keys.Order());
        Assert.Equal(73, Paths.Count);
    }

    [Fact]
    public void Life_never_goes_back()
    {
        foreach (var (state, path) in Paths)
        {
            foreach (var transition in Table.Keys)
            {
                var machine = Replay(path);
                var before = machine.Life;
                Apply(ref machine, transition);
                Assert.True(machine.Life >= before, $"{state} goes back by {transition}");
            }
        }
    }

    [Fact]
    public void The_questions_agree_with_the_fields()
    {
        foreach (var (state, path) in Paths)
        {
            var machine = Replay(path);
            var word = state.Split(' ');
            Assert.Equal(word is ["Open", "On", ..], machine.IsReading);
            Assert.Equal(word is ["Open", "Paused", ..], machine.IsPaused);
            Assert.Equal(word[0] is "Closing" or "Lost" or "Closed", machine.IsClosing);
            Assert.Equal(word[0] is "Lost" or "Closed", machine.IsLost);
        }
    }

    private static IEnumerable<string> All() =>
        from life in Lives
        from reads in ReadSides
        from writes in WriteSides
        from reset in Resets
        select $"{life} {reads} {writes}{reset}";

    private static (bool Happens, string Successor) Expected(string state, string transition)
    {
        var row = Table[transition];
        var word = state.Split(' ');
        var isReset = word.Length > 3;
        var happens = row.WhenLife.Split(' ').Contains(word[0]) && (row.WhenReads ?? word[1]) == word[1]
            && (row.WhenWrites ?? word[2]) == word[2] && !(row.NotReset && isReset);
        if (!happens) return (false, state);
        return (true, $"{row.Life ?? word[0]} {row.Reads ?? word[1]} {row.Writes ?? word[2]}{(isReset || row.Resets ? " Reset" : "")}");
    }

    private static Dictionary<string, string[]> Explore()
    {
        var found = new Dictionary<string, string[]> { [Start] = [] };
        var frontier = new Queue<string>(found.Keys);
        while (frontier.TryDequeue(out var state))
        {
            foreach (var transition in Table.Keys)
            {
                var machine = Replay(found[state]);
                Apply(ref machine, transition);
                if (found.TryAdd(Describe(machine), [.. found[state], transition])) frontier.Enqueue(Describe(machine));
            }
        }

        return found;
    }

    private static StreamState Replay(string[] path)
    {
        var machine = default(StreamState);
        foreach (var transition in path) Apply(ref machine, transition);
        return machine;
    }

    private static string Describe(in StreamState machine) =>
        $"{machine.Life} {machine.Reads} {machine.Writes}{(machine.IsReset ? " Reset" : "")}";

    private static bool Apply(ref StreamState machine, string transition) => transition switch
    {
        "TryOpen" => machine.TryOpen(),
        "TryAbandon" => machine.TryAbandon(),
        "TryClose" => machine.TryClose(),
        "TryAbort" => machine.TryAbort(),
        "TryFail" => machine.TryFail(),
        "TryLose" => machine.TryLose(),
        "TryRelease" => machine.TryRelease(),
        "TryPause" => machine.TryPause(),
        "TryResume" => machine.TryResume(),
        "TryEndReading" => machine.TryEndReading(),
        "TryBeginWriteEof" => machine.TryBeginWriteEof(),
        "TryEndWriting" => machine.TryEndWriting(),
        _ => throw new ArgumentOutOfRangeException(nameof(transition), transition, null),
    };

    private sealed record Row(
        string WhenLife, string? WhenReads = null, string? WhenWrites = null, bool NotReset = false,
        string? Life = null, string? Reads = null, string? Writes = null, bool Resets = false);
}
