using System.Text.RegularExpressions;

namespace Sluice.Tests.House;

/// <summary>The rules of style that neither the compiler's analyzers nor the check of white space report, read from the source text.</summary>
public sealed partial class StyleTests
{
    private static readonly string[] Everywhere = ["src", "tests", "bench", "samples", "eng"];

    // Not in a comment or a text that is one line.
    [GeneratedRegex("""^(?:[^"\n/]|/(?!/)|"(?:[^"\\\n]|\\.)*")*?\bthis\.""", RegexOptions.Multiline)]
    private static partial Regex Qualified { get; }

    [GeneratedRegex(@"^(?:global )?using (?<name>[\w.]+);\r?$", RegexOptions.Multiline)]
    private static partial Regex UsingDirective { get; }

    [Fact]
    public void No_member_is_qualified_with_this() =>
        Rule.HasNo(Repository.Sources(Everywhere).Where(static file => Qualified.IsMatch(Repository.Read(file))));

    [Fact]
    public void Using_directives_are_in_order_and_System_comes_first() =>
        Rule.HasNo(Repository.Sources(Everywhere).Where(static file => !IsInOrder(Repository.Read(file))));

    [Theory]
    [InlineData("return this.Get();", true)]
    [InlineData("Call(\"this.\", 1); // as this.Get()", false)]
    [InlineData("/// <summary>Of this. And that.</summary>", false)]
    [InlineData("var a = b / this.c;", true)]
    public void A_qualified_member_is_told_from_a_word(string line, bool isQualified) => Assert.Equal(isQualified, Qualified.IsMatch(line));

    [Theory]
    [InlineData("using System;\nusing System.Net;\nusing Apple;\nusing Sluice;\n", true)]
    [InlineData("using System.Net;\nusing System;\n", false)]
    [InlineData("using Apple;\nusing System;\n", false)]
    public void Directives_out_of_order_are_found(string text, bool isInOrder) => Assert.Equal(isInOrder, IsInOrder(text));

    private static bool IsInOrder(string text)
    {
        var names = UsingDirective.Matches(text).Select(static match => match.Groups["name"].Value).ToList();
        return names.SequenceEqual(names.OrderByDescending(static name => name is "System" || name.StartsWith("System.", StringComparison.Ordinal))
            .ThenBy(static name => name, StringComparer.OrdinalIgnoreCase));
    }
}
