using Sluice.ParityTests.Playing;

namespace Sluice.ParityTests.Comparing;

/// <summary>Holds what we show against what asyncio shows, the allowed differences applied.</summary>
internal static class Comparison
{
    private static readonly Lazy<ILookup<string, Difference>> Allowed = new(static () => Difference.ReadAll().ToLookup(static row => row.Scenario));

    /// <summary>What is wrong, or null where all is as it should be.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="ours">What we show.</param>
    /// <param name="recording">What asyncio shows.</param>
    public static string? Complain(Scenario scenario, Traces ours, Recording recording) => Complain(scenario, ours, recording, static _ => true);

    /// <summary>As <see cref="Complain(Scenario, Traces, Recording)"/>, for a version of which we do not know whether it still has the defects that are listed.</summary>
    public static string? ComplainOfUnknown(Scenario scenario, Traces ours, Recording recording) =>
        Complain(scenario, ours, recording) is null ? null : Complain(scenario, ours, recording, static row => !row.IsDefect);

    private static string? Complain(Scenario scenario, Traces ours, Recording recording, Func<Difference, bool> allows)
    {
        var theirs = recording.Of(scenario.Name);
        var expected = theirs;
        foreach (var row in Allowed.Value[scenario.Name].Where(row => row.HoldsIn(recording.MinorVersion) && allows(row)))
        {
            if (row.Apply(expected) is not { } applied)
            {
                return Say($"a stale difference ({row.Reason}): asyncio's trace of {row.Actor} does not have [{string.Join(", ", row.Theirs)}] once", expected);
            }

            expected = applied;
        }

        return expected.SameAs(ours) ? null : Say("the traces differ", expected);

        string Say(string what, Traces wanted) => string.Join(
            Environment.NewLine,
            [$"{scenario} and {recording}: {what}.", "asyncio:", $"{theirs}", .. wanted.SameAs(theirs) ? (string[])[] : ["with the allowed differences:", $"{wanted}"], "Sluice:", $"{ours}"]);
    }
}
