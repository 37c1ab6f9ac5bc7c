namespace Sluice.Sweep.Breaks;

/// <summary>The list of breaks fits the code as it is. That each is seen, <c>eng/mutations.sh</c> shows.</summary>
public sealed class BreakTests
{
    private const int Fewest = 60;

    [Fact]
    public void Every_break_still_stands_once_in_the_tree()
    {
        var root = Root();
        var breaks = Break.Read(Path.Combine(root, "tests", "Sluice.Sweep", "Breaks", "breaks.txt"));
        var tree = new SourceTree(root);

        var complaints = breaks.Select(entry => entry.Complain(tree)).OfType<string>().ToList();

        Assert.True(complaints.Count == 0, string.Join(Environment.NewLine, complaints));
        Assert.Equal(breaks.Count, breaks.Select(static entry => entry.Name).Distinct().Count());
        Assert.InRange(breaks.Count, Fewest, int.MaxValue);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Sluice.slnx"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
