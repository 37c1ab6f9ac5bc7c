using System.Reflection;

namespace Sluice.Tests.House;

/// <summary>What the packages promise: a change of it shows as a change of a text file, to be reviewed with the code.</summary>
public sealed class PublicApiTests
{
    [Fact]
    public void Public_types_live_in_Contracts_and_EventLoop()
    {
        using var sluice = new CompiledAssembly("Sluice");

        var elsewhere =
            from type in typeof(BaseProtocol).Assembly.GetExportedTypes()
            where !type.IsNested
            let folder = sluice.FolderOf(new TypeName("Sluice", type.Namespace!, type.Name))
            where folder.Split('/')[0] is not ("Contracts" or "EventLoop")
            select $"{folder}: {type}";

        Rule.HasNo(elsewhere);
    }

    [Theory]
    [InlineData("Sluice")]
    [InlineData("Sluice.Testing")]
    public void The_public_surface_is_the_one_that_was_reviewed(string assembly)
    {
        var snapshot = Path.Combine(Repository.Root, "src", assembly, "PublicApi.txt");
        var now = PublicApiText.Of(Assembly.Load(assembly));
        if (Environment.GetEnvironmentVariable("SLUICE_UPDATE_SNAPSHOTS") == "1") File.WriteAllText(snapshot, now);

        var reviewed = File.ReadAllText(snapshot);
        Assert.True(reviewed == now, $"src/{assembly}/PublicApi.txt differs; SLUICE_UPDATE_SNAPSHOTS=1 rewrites it.\n{Difference(reviewed, now)}");
    }

    private static string Difference(string before, string after)
    {
        string[] old = before.Split('\n'), current = after.Split('\n');
        return string.Join('\n', old.Except(current).Select(line => "- " + line.Trim()).Concat(current.Except(old).Select(line => "+ " + line.Trim())));
    }
}
