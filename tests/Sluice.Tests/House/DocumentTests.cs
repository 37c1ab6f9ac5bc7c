using System.Text.RegularExpressions;

namespace Sluice.Tests.House;

/// <summary>The documents lead where they say.</summary>
public sealed partial class DocumentTests
{
    [GeneratedRegex(@"\]\((?<target>[^)#\s:]+)(?:#[^)\s]*)?\)")]
    private static partial Regex RelativeLink { get; }

    [GeneratedRegex(@"\]\(#(?<anchor>[^)\s]+)\)")]
    private static partial Regex OwnAnchor { get; }

    [GeneratedRegex(@"`(?<file>[\w./]+\.cs)`")]
    private static partial Regex SourceFile { get; }

    [GeneratedRegex(@"^#+ (?<title>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [Fact]
    public void Every_link_of_the_documents_leads_to_a_file()
    {
        var links =
            from document in Documents()
            from match in RelativeLink.Matches(Repository.Read(document))
            select (Document: document, Target: Path.Combine(Repository.Root, Path.GetDirectoryName(document)!, match.Groups["target"].Value));

        Assert.NotEmpty(links);
        Rule.HasNo(links.Where(link => !Path.Exists(link.Target)).Select(link => $"{link.Document} links to {link.Target}"));
    }

    [Fact]
    public void Every_anchor_of_the_documents_is_a_heading_of_theirs()
    {
        var missing =
            from document in Documents()
            let text = Repository.Read(document)
            let anchors = Heading.Matches(text).Select(match => AnchorOf(match.Groups["title"].Value)).ToHashSet()
            from match in OwnAnchor.Matches(text)
            let anchor = match.Groups["anchor"].Value
            where !anchors.Contains(anchor)
            select $"{document} links to #{anchor}";

        Rule.HasNo(missing);
    }

    [Fact]
    public void No_table_of_a_map_from_another_library_has_a_row_twice()
    {
        var maps = Documents().Where(static document => Path.GetFileName(document).StartsWith("from-", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(maps);
        Rule.HasNo(maps.SelectMany(static map => DoubleRows(Repository.Read(map)).Select(row => $"{map} has '{row}' twice")));
    }

    [Fact]
    public void A_row_that_stands_twice_is_found()
    {
        Assert.Equal(["`close`"], DoubleRows("| a | b |\n|---|---|\n| `close` | 1 |\n| - | 2 |\n| - | 3 |\n| `close` | 4 |\n\n| a | b |\n|---|---|\n| `close` | 5 |\n"));
    }

    [Fact]
    public void Every_source_file_that_the_architecture_names_exists()
    {
        const string Architecture = "docs/architecture.md";
        var files = Repository.Sources("src", "tests").ToList();

        var missing =
            from match in SourceFile.Matches(Repository.Read(Architecture))
            let name = match.Groups["file"].Value
            where !files.Exists(file => file == name || file.EndsWith('/' + name, StringComparison.Ordinal))
            select $"{Architecture} names {name}";

        Rule.HasNo(missing);
    }

    private static IEnumerable<string> Documents() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Append(Path.Combine(Repository.Root, "README.md"))
            .Select(file => Path.GetRelativePath(Repository.Root, file));

    private static string AnchorOf(string title) =>
        string.Concat(title.ToLowerInvariant().Replace(' ', '-').Where(c => char.IsLetterOrDigit(c) || c is '-' or '_'));

    // By the first cell, within one table; a dash stands for "nothing there" and an empty cell for "no id".
    private static IEnumerable<string> DoubleRows(string text)
    {
        var seen = new HashSet<string>();
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith('|'))
            {
                seen.Clear();
                continue;
            }

            var cell = line.Split('|')[1].Trim();
            if (cell is not ("-" or "") && !seen.Add(cell)) yield return cell;
        }
    }
}
