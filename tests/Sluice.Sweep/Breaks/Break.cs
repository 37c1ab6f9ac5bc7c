namespace Sluice.Sweep.Breaks;

/// <summary>One break of the library on purpose: lines that go, lines that come, and what must see it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Why">What it breaks.</param>
/// <param name="Files">Names of the files in which its lines may stand, such as Epoll*.cs.</param>
/// <param name="Seen">By what: the words of docs/testing.md.</param>
/// <param name="Changes">Each run of lines that goes, and what comes in its place.</param>
internal sealed record Break(string Name, string Why, string Files, string Seen, IReadOnlyList<(IReadOnlyList<string> Old, IReadOnlyList<string> New)> Changes)
{
    private const int KeyLength = 7;

    /// <summary>Reads a list of them.</summary>
    /// <exception cref="FormatException">A line means nothing.</exception>
    public static IReadOnlyList<Break> Read(string path)
    {
        var breaks = new List<Break>();
        var changes = new List<(IReadOnlyList<string> Old, IReadOnlyList<string> New)>();
        var previous = "";
        foreach (var line in File.ReadLines(path))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var key = line[..Math.Min(KeyLength, line.Length)].Trim();
            var value = line[Math.Min(KeyLength, line.Length)..].Trim();
            switch (key)
            {
                case "break":
                    changes = [];
                    breaks.Add(new Break(value, "", "*.cs", "", changes));
                    break;
                case "why":
                    breaks[^1] = breaks[^1] with { Why = value };
                    break;
                case "file":
                    breaks[^1] = breaks[^1] with { Files = value };
                    break;
                case "seen":
                    breaks[^1] = breaks[^1] with { Seen = value };
                    break;
                case "-":
                    if (previous != "-") changes.Add((new List<string>(), new List<string>()));
                    ((List<string>)changes[^1].Old).Add(value);
                    break;
                case "+":
                    if (value.Length > 0) ((List<string>)changes[^1].New).Add(value);
                    break;
                default:
                    throw new FormatException($"Nobody knows what this means: {line}");
            }

            previous = key;
        }

        return breaks;
    }

    /// <summary>Why it cannot be planted in this tree, or null.</summary>
    public string? Complain(SourceTree tree)
    {
        if (Changes.Count == 0 || Why.Length == 0 || Seen.Length == 0) return $"{Name}: it does not say why, what sees it, or what it changes";
        foreach (var (old, _) in Changes)
        {
            var count = tree.Find(Files, old).Count;
            if (count != 1) return $"{Name}: {(count == 0 ? "nowhere" : $"in {count} places")} stands in {Files}: {old[0]}";
        }

        return null;
    }

    /// <summary>Plants it.</summary>
    /// <returns>The files that are otherwise now.</returns>
    public IReadOnlyCollection<string> Plant(SourceTree tree)
    {
        var files = new HashSet<string>();
        foreach (var (old, lines) in Changes)
        {
            var place = tree.Find(Files, old).Single();
            tree.Replace(place, old.Count, lines);
            files.Add(place.File);
        }

        return files;
    }
}
