namespace Sluice.ParityTests.Comparing;

/// <summary>The table "Different on purpose" of docs/from-asyncio.md: where a difference must be explained to be allowed.</summary>
internal static class DifferentOnPurpose
{
    /// <summary>Its rows as text, by their first cell.</summary>
    public static IReadOnlyDictionary<string, string> Rows { get; } = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "from-asyncio.md"))
        .SkipWhile(static line => line != "## Different on purpose")
        .Skip(1)
        .TakeWhile(static line => !line.StartsWith("## ", StringComparison.Ordinal))
        .Where(static line => line.StartsWith("| ", StringComparison.Ordinal))
        .ToDictionary(static line => line.Split('|')[1].Trim());
}
