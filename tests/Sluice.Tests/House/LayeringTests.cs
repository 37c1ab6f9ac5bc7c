namespace Sluice.Tests.House;

/// <summary>
/// The layers, by what the compiler resolved: a name in a child namespace sees its parent's types without a using, so reading
/// the source's usings would miss the very edges that matter.
/// </summary>
public sealed class LayeringTests
{
    private static readonly string[] Everything =
        ["Contracts", "Primitives", "Native", "Backends", "Backends/Linux", "Backends/Epoll", "Backends/IoUring", "Backends/Portable", "Loop", "Transports", "Tls", "Subprocesses",
         "Ending", "Names", "Connecting", "Serving", "Spawning", "Watching"];

    // Which folders a folder may refer to, besides itself.
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Contracts"] = [],
        ["Primitives"] = [],
        ["Native"] = ["Primitives"],
        ["Backends"] = ["Contracts", "Primitives"],
        ["Backends/Linux"] = ["Contracts", "Backends", "Primitives", "Native"],
        ["Backends/Epoll"] = ["Contracts", "Backends", "Backends/Linux", "Primitives", "Native"],
        ["Backends/IoUring"] = ["Contracts", "Backends", "Backends/Linux", "Primitives", "Native"],
        ["Backends/Portable"] = ["Contracts", "Backends", "Primitives"],
        ["Loop"] = ["Contracts", "Primitives", "Backends"],
        ["Transports"] = ["Contracts", "Primitives", "Backends", "Loop"],
        ["Tls"] = ["Contracts", "Primitives", "Backends", "Loop", "Transports"],
        ["Subprocesses"] = ["Contracts", "Primitives", "Backends", "Loop", "Transports"],
        ["Ending"] = ["Contracts", "Loop", "Transports", "Subprocesses"],
        ["Names"] = ["Contracts", "Primitives", "Backends", "Loop", "Ending"],
        ["Connecting"] = ["Contracts", "Primitives", "Backends", "Loop", "Transports", "Tls", "Ending", "Names"],
        ["Serving"] = ["Contracts", "Primitives", "Native", "Backends", "Loop", "Transports", "Tls", "Names"],
        ["Spawning"] = ["Contracts", "Backends", "Loop", "Transports", "Subprocesses", "Ending"],
        ["Watching"] = ["Contracts", "Primitives", "Backends", "Loop", "Transports", "Ending"],
        ["EventLoop"] = Everything,
    };

    // What a simulation stands in for or drives; never the layers above the loop's core, nor a real kernel.
    private static readonly string[] AllowedForTesting = ["Contracts", "EventLoop", "Primitives", "Backends", "Loop"];

    private static readonly string[] MayLog = ["Contracts", "Loop", "EventLoop"];

    [Fact]
    public void Each_layer_refers_only_to_the_layers_it_may()
    {
        using var sluice = new CompiledAssembly("Sluice");

        var forbidden =
            from type in sluice.Types
            let folder = LayerOf(sluice, type)
            from reference in sluice.ReferencesOf(type)
            where reference.Assembly == "Sluice" && reference.Namespace.StartsWith("Sluice", StringComparison.Ordinal)
            let target = LayerOf(sluice, reference)
            where target != folder && !Allowed[folder].Contains(target) && !IsAddress(reference)
            select $"{folder} may not refer to {target}: {type} -> {reference}";

        Rule.HasNo(forbidden);
    }

    [Fact]
    public void Backends_know_options_the_socket_s_face_and_its_peer_and_no_other_contract()
    {
        using var sluice = new CompiledAssembly("Sluice");

        var forbidden =
            from type in sluice.Types
            where LayerOf(sluice, type).StartsWith("Backends", StringComparison.Ordinal)
            from reference in sluice.ReferencesOf(type)
            where reference is { Assembly: "Sluice", Namespace: "Sluice" }
            where !reference.Name.EndsWith("Options", StringComparison.Ordinal) && reference.Name is not (nameof(TransportSocket) or nameof(PeerCredentials))
            where !IsAddress(reference)
            select $"{type} -> {reference}";

        Rule.HasNo(forbidden);
    }

    [Fact]
    public void Only_the_loop_and_the_contracts_know_the_logging_package()
    {
        using var sluice = new CompiledAssembly("Sluice");

        var forbidden =
            from type in sluice.Types
            where !MayLog.Contains(LayerOf(sluice, type))
            from reference in sluice.ReferencesOf(type)
            where reference.Assembly.StartsWith("Microsoft.Extensions", StringComparison.Ordinal)
            select $"{type} -> {reference}";

        Rule.HasNo(forbidden);
    }

    [Fact]
    public void The_testing_package_stands_in_for_a_kernel_and_sees_nothing_of_the_transports()
    {
        using var sluice = new CompiledAssembly("Sluice");
        using var testing = new CompiledAssembly("Sluice.Testing");

        var forbidden =
            from type in testing.Types
            from reference in testing.ReferencesOf(type)
            where reference.Assembly == "Sluice" && reference.Namespace.StartsWith("Sluice", StringComparison.Ordinal)
            let target = LayerOf(sluice, reference)
            where !AllowedForTesting.Contains(target)
            select $"Sluice.Testing may not refer to {target}: {type} -> {reference}";

        Rule.HasNo(forbidden);
    }

    // A value like the end points of .NET: every layer may hold one.
    private static bool IsAddress(TypeName type) => type is { Assembly: "Sluice", Name: nameof(RawUnixEndPoint) };

    // A layer may have rooms of its own below its folder.
    private static string LayerOf(CompiledAssembly assembly, TypeName type)
    {
        var folder = assembly.FolderOf(type);
        while (!Allowed.ContainsKey(folder) && folder.Contains('/')) folder = folder[..folder.LastIndexOf('/')];
        return folder;
    }
}
