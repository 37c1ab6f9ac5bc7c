namespace Sluice.Sweep.Breaks;

/// <summary>
/// The command line of <c>eng/mutations.sh</c>: <c>breaks LIST</c> names them; <c>breaks LIST NAME ROOT</c> plants one in the tree at ROOT and prints what must see
/// it, then the files that it changed. Exit code 1 where it does not apply.
/// </summary>
internal static class BreakCommand
{
    public static int Run(string[] arguments)
    {
        var breaks = Break.Read(arguments[0]);
        if (arguments is not [_, var name, var root])
        {
            foreach (var entry in breaks) Console.WriteLine(entry.Name);
            return 0;
        }

        var tree = new SourceTree(root);
        var complaint = breaks.FirstOrDefault(entry => entry.Name == name) is { } known ? known.Complain(tree) : $"{name}: there is no such break";
        if (complaint is not null)
        {
            Console.WriteLine(complaint);
            return 1;
        }

        var planted = breaks.First(entry => entry.Name == name);
        Console.WriteLine(planted.Seen);
        foreach (var file in planted.Plant(tree)) Console.WriteLine(Path.GetRelativePath(root, file));
        return 0;
    }
}
