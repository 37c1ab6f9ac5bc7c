using System.IO.Enumeration;

namespace Sluice.Sweep.Breaks;

/// <summary>The source files of the library, line by line. Read once; what is replaced is written at once.</summary>
/// <param name="root">The folder of the repository.</param>
internal sealed class SourceTree(string root)
{
    private readonly Dictionary<string, List<string>> _files = Directory.EnumerateFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal))
        .ToDictionary(static file => file, static file => File.ReadLines(file).ToList());

    /// <summary>Where lines stand behind each other, whatever white space is around each.</summary>
    /// <param name="names">The names of the files to look into.</param>
    /// <param name="lines">The lines, trimmed.</param>
    public IReadOnlyList<(string File, int Line)> Find(string names, IReadOnlyList<string> lines)
    {
        var places = new List<(string File, int Line)>();
        foreach (var (file, text) in _files)
        {
            if (!FileSystemName.MatchesSimpleExpression(names, Path.GetFileName(file), ignoreCase: false)) continue;
            for (var i = 0; i + lines.Count <= text.Count; i++)
            {
                if (StandsAt(text, i, lines)) places.Add((file, i));
            }
        }

        return places;
    }

    public void Replace((string File, int Line) place, int count, IReadOnlyList<string> lines)
    {
        var text = _files[place.File];
        text.RemoveRange(place.Line, count);
        text.InsertRange(place.Line, lines);
        File.WriteAllLines(place.File, text);
    }

    private static bool StandsAt(List<string> text, int at, IReadOnlyList<string> lines)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            if (!text[at + i].AsSpan().Trim().SequenceEqual(lines[i])) return false;
        }

        return true;
    }
}
