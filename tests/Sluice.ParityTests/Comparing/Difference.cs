using Sluice.ParityTests.Playing;

namespace Sluice.ParityTests.Comparing;

/// <summary>
/// One allowed difference: in one actor's trace of one scenario a run of entries stands for another. A row of differences.tsv. Immutable.
/// </summary>
/// <param name="Scenario">The scenario's name.</param>
/// <param name="Versions">Where it holds: "all", or versions as "3.11 3.12", each perhaps with a "+" for "and later" or a "-" for "and earlier".</param>
/// <param name="Kind">"choice" of ours, or a defect of theirs by its number, such as python/cpython#156512.</param>
/// <param name="Reason">The first cell of its row in docs/from-asyncio.md, "Different on purpose".</param>
/// <param name="Actor">Whose trace.</param>
/// <param name="Theirs">The entries of asyncio, once in the trace; none means that the whole trace is empty.</param>
/// <param name="Ours">What stands there instead.</param>
internal sealed record Difference(string Scenario, string Versions, string Kind, string Reason, string Actor, IReadOnlyList<string> Theirs, IReadOnlyList<string> Ours)
{
    private const string None = "(nothing)";

    /// <summary>A defect of theirs, which a later version may have mended; else a choice of ours.</summary>
    public bool IsDefect => Kind != "choice";

    /// <summary>Reads the table.</summary>
    public static IReadOnlyList<Difference> ReadAll() =>
        [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "differences.tsv")).Skip(1).Where(static line => line.Length > 0).Select(static line => Read(line.Split('\t')))];

    public bool HoldsIn(Version version) => Versions == "all" || Versions.Split(' ').Any(word => Names(word, version));

    /// <summary>What we are to show for what they show, or null where it does not fit: the difference is no more.</summary>
    public Traces? Apply(Traces theirs)
    {
        var trace = theirs.Of(Actor);
        if (Theirs.Count == 0) return trace.Count == 0 ? theirs.With(Actor, Ours) : null;
        var places = Enumerable.Range(0, Math.Max(0, trace.Count - Theirs.Count + 1)).Where(start => trace.Skip(start).Take(Theirs.Count).SequenceEqual(Theirs)).ToList();
        return places is [var place] ? theirs.With(Actor, [.. trace.Take(place), .. Ours, .. trace.Skip(place + Theirs.Count)]) : null;
    }

    private static Difference Read(string[] cells) => new(cells[0], cells[1], cells[2], cells[3], cells[4], Entries(cells[5]), Entries(cells[6]));

    private static string[] Entries(string cell) => cell == None ? [] : cell.Split(", ");

    private static bool Names(string word, Version version) => word[^1] switch
    {
        '+' => version >= Version.Parse(word[..^1]),
        '-' => version <= Version.Parse(word[..^1]),
        _ => version == Version.Parse(word),
    };
}
