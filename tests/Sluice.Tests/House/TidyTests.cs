using System.Text.RegularExpressions;

namespace Sluice.Tests.House;

/// <summary>The rules of the tree that a compiler does not know, read from the source text.</summary>
public sealed partial class TidyTests
{
    private const int LongestFile = 400;

    // Beyond about twenty files a folder holds a second idea.
    private const int FullestFolder = 20;

    // The folders that have more, and why.
    private static readonly Dictionary<string, string> FullFolders = new()
    {
        ["src/Sluice/Transports"] = "the stream machine in halves, and datagrams: one subject that is read together",
    };

    // The public surface of a package is one namespace over several folders; what all test projects share belongs to none of them.
    private static readonly Dictionary<string, string> OneNamespace = new()
    {
        ["Sluice.Contracts"] = "Sluice",
        ["Sluice.Contracts.Exceptions"] = "Sluice",
        ["Sluice.Contracts.Options"] = "Sluice",
        ["Sluice.Contracts.Protocols"] = "Sluice",
        ["Sluice.Contracts.Transports"] = "Sluice",
        ["Sluice.EventLoop"] = "Sluice",
        ["Sluice.Testing.Recording"] = "Sluice.Testing",
        ["Sluice.Testing.Stages"] = "Sluice.Testing",
        ["Shared"] = "Sluice.Tests.Shared",
    };

    private static readonly string[] Everywhere = ["src", "tests", "bench/EchoServer", "bench/Sluice.Benchmarks", "samples", "eng"];

    // dotnet format keeps top-level declarations at the first column.
    [GeneratedRegex(@"^(?:(?:public|internal|file|abstract|sealed|static|readonly|ref|unsafe|partial) )+(?:class|struct|interface|enum|record struct|record class|record|delegate [\w<>\[\]?.]+) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType { get; }

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex FileScopedNamespace { get; }

    [GeneratedRegex(@"\b(?:class|struct|interface|enum|record) (?<name>\w*(?:Util|Utils|Utilities|Helper|Helpers|Manager))\b")]
    private static partial Regex EmptyName { get; }

    [GeneratedRegex(@"\b(?:TOD[O]|FIXM[E]|HAC[K]|XX[X])\b")]
    private static partial Regex Leftover { get; }

    [GeneratedRegex(@"^\s*#(?:end)?region", RegexOptions.Multiline)]
    private static partial Regex Region { get; }

    [GeneratedRegex(@"^\s*#if", RegexOptions.Multiline)]
    private static partial Regex Conditional { get; }

    [GeneratedRegex(@"^\s*[\w ]*\bpartial (?:class|struct|interface|record)\b", RegexOptions.Multiline)]
    private static partial Regex PartialType { get; }

    [GeneratedRegex(@"\[(?:LibraryImport|LoggerMessage)\(")]
    private static partial Regex SourceGenerator { get; }

    [GeneratedRegex(@"(?<![\w.])/(?:home|root|Users)/\w|[A-Z]:\\\\?Users")]
    private static partial Regex PersonalPath { get; }

    [GeneratedRegex(@"^    \[(?:Fact|Theory)\b(?:.*\n)+?    public [\w<>\[\]., ]*?(?<name>\w+)\(", RegexOptions.Multiline)]
    private static partial Regex TestMethod { get; }

    [Fact]
    public void A_file_is_named_after_the_type_it_is_about()
    {
        var wrong =
            from file in Repository.Sources(Everywhere)
            where !IsSample(file)
            let types = TopLevelType.Matches(Repository.Read(file)).Select(match => match.Groups["name"].Value).ToList()
            where types.Count > 0 && !Names(Path.GetFileName(file).Split('.')[0], types)
            select $"{file} declares {string.Join(", ", types)}";

        Rule.HasNo(wrong);

        // A sample is one page, read from top to bottom: the program and its protocols.
        static bool IsSample(string file) => file.StartsWith("samples/", StringComparison.Ordinal) && file.EndsWith("/Program.cs", StringComparison.Ordinal);

        // Small siblings may share a file under their plural: Sinks has IConnectSink, IListenSink.
        static bool Names(string file, List<string> types) =>
            types.Contains(file) || types.TrueForAll(type => file.EndsWith('s') && type.EndsWith(file[..^1], StringComparison.Ordinal));
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        var wrong =
            from file in Repository.Sources("src", "tests")
            let declared = FileScopedNamespace.Match(Repository.Read(file)).Groups["name"].Value
            where TopLevelType.IsMatch(Repository.Read(file)) && declared != Expected(file)
            select $"{file} declares {declared}, not {Expected(file)}";

        Rule.HasNo(wrong);

        static string Expected(string file)
        {
            var folder = string.Join('.', file.Split('/')[1..^1]);
            return OneNamespace.TryGetValue(folder, out var shared) ? shared : folder;
        }
    }

    [Fact]
    public void No_file_is_longer_than_a_reader_s_patience()
    {
        var tooLong = Repository.Sources(Everywhere).Where(file => Repository.Read(file).Count(c => c == '\n') > LongestFile);

        Rule.HasNo(tooLong);
    }

    [Fact]
    public void No_folder_is_fuller_than_a_reader_s_memory()
    {
        var full =
            from folder in Repository.Sources(Everywhere).GroupBy(static file => file[..file.LastIndexOf('/')])
            where folder.Count() > FullestFolder && !FullFolders.ContainsKey(folder.Key)
            select $"{folder.Key} has {folder.Count()} files";

        Rule.HasNo(full);
    }

    [Fact]
    public void No_type_has_a_name_that_says_nothing() => Rule.HasNo(Matches(EmptyName, Everywhere));

    [Fact]
    public void There_are_no_regions() => Rule.HasNo(Matches(Region, Everywhere));

    [Fact]
    public void Nothing_is_left_for_later_in_a_comment() => Rule.HasNo(Matches(Leftover, Everywhere));

    [Fact]
    public void No_path_of_somebody_s_machine_is_in_the_source() => Rule.HasNo(Matches(PersonalPath, Everywhere));

    [Fact]
    public void Conditional_compilation_stays_in_Native_and_Backends()
    {
        var elsewhere = Matches(Conditional, Everywhere).Where(match =>
            !match.StartsWith("src/Sluice/Native/", StringComparison.Ordinal) && !match.StartsWith("src/Sluice/Backends/", StringComparison.Ordinal));

        Rule.HasNo(elsewhere);
    }

    [Fact]
    public void Only_EventLoop_and_what_a_source_generator_completes_is_partial()
    {
        var wrong =
            from file in Repository.Sources("src")
            where !file.StartsWith("src/Sluice/EventLoop/EventLoop.", StringComparison.Ordinal)
            let text = Repository.Read(file)
            where PartialType.IsMatch(text) && !SourceGenerator.IsMatch(text)
            select file;

        Rule.HasNo(wrong);
    }

    [Fact]
    public void The_names_of_tests_are_sentences()
    {
        var names = Repository.Sources("tests").SelectMany(file => TestMethod.Matches(Repository.Read(file))).Select(match => match.Groups["name"].Value).ToList();

        var words = names.Where(name => !name.Contains('_'));
        Assert.Contains(nameof(The_names_of_tests_are_sentences), names);
        Rule.HasNo(words);
    }

    private static IEnumerable<string> Matches(Regex pattern, string[] folders) =>
        from file in Repository.Sources(folders)
        from match in pattern.Matches(Repository.Read(file))
        select $"{file}: {match.Value.Trim()}";
}
