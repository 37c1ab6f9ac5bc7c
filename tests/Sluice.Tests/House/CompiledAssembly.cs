using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Sluice.Tests.House;

/// <summary>
/// An assembly as the compiler left it: its top-level types, the source folder of each (from the debug symbols, since Contracts and
/// EventLoop share a namespace), and what each refers to. Nested types count as part of the type around them.
/// </summary>
internal sealed class CompiledAssembly : IDisposable
{
    // Portable PDB: the documents of a type that has no code to step through, such as an interface or an enum.
    private static readonly Guid TypeDefinitionDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly PEReader _image;
    private readonly MetadataReaderProvider _symbols;
    private readonly MetadataReader _metadata;
    private readonly Dictionary<TypeName, HashSet<string>> _folders = [];
    private readonly Dictionary<TypeName, HashSet<TypeName>> _references = [];

    /// <param name="name">The assembly's name, which is also its folder below src.</param>
    public CompiledAssembly(string name)
    {
        Name = name;
        var path = Path.Combine(AppContext.BaseDirectory, name);
        _image = new PEReader(File.OpenRead(path + ".dll"));
        _symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(path + ".pdb"));
        _metadata = _image.GetMetadataReader();
        foreach (var handle in _metadata.TypeDefinitions) AddType(handle);
        AddDocumentsOfTypesWithoutCode();
    }

    public string Name { get; }

    /// <summary>The top-level types that were written by hand.</summary>
    public IEnumerable<TypeName> Types => _references.Keys.Where(type => type.Namespace.StartsWith("Sluice", StringComparison.Ordinal));

    /// <summary>The folder of a type's source, such as <c>Backends/Epoll</c>.</summary>
    public string FolderOf(TypeName type) =>
        _folders.TryGetValue(type, out var folders) && folders.Count == 1
            ? folders.Single()
            : throw new InvalidOperationException($"{type} has no folder of its own in {Name}: {string.Join(", ", folders ?? [])}");

    /// <summary>Every type that a type refers to, of this assembly or another.</summary>
    public IEnumerable<TypeName> ReferencesOf(TypeName type) => _references[type].Where(reference => reference != type);

    public void Dispose()
    {
        _symbols.Dispose();
        _image.Dispose();
    }

    private void AddType(TypeDefinitionHandle handle)
    {
        var type = TypeName.Of(_metadata, handle);
        if (!_references.TryGetValue(type, out var references)) _references[type] = references = [];
        new ReferenceCollector(_image, _metadata, references).AddType(handle);
        foreach (var method in _metadata.GetTypeDefinition(handle).GetMethods()) AddDocuments(type, method);
    }

    private void AddDocuments(TypeName type, MethodDefinitionHandle method)
    {
        var symbols = _symbols.GetMetadataReader();
        var information = symbols.GetMethodDebugInformation(method);
        if (!information.Document.IsNil) AddDocument(type, symbols, information.Document);
        if (information.SequencePointsBlob.IsNil) return;
        foreach (var point in information.GetSequencePoints()) AddDocument(type, symbols, point.Document);
    }

    private void AddDocumentsOfTypesWithoutCode()
    {
        var symbols = _symbols.GetMetadataReader();
        foreach (var information in symbols.CustomDebugInformation.Select(symbols.GetCustomDebugInformation))
        {
            if (information.Parent.Kind != HandleKind.TypeDefinition || symbols.GetGuid(information.Kind) != TypeDefinitionDocuments) continue;
            var type = TypeName.Of(_metadata, (TypeDefinitionHandle)information.Parent);
            var rows = symbols.GetBlobReader(information.Value);
            while (rows.RemainingBytes > 0) AddDocument(type, symbols, MetadataTokens.DocumentHandle(rows.ReadCompressedInteger()));
        }
    }

    // Source generators add files of their own, below obj or outside the tree: they say nothing about the type's place.
    private void AddDocument(TypeName type, MetadataReader symbols, DocumentHandle handle)
    {
        var path = symbols.GetString(symbols.GetDocument(handle).Name).Replace('\\', '/');
        var start = path.LastIndexOf($"/src/{Name}/", StringComparison.Ordinal);
        if (start < 0) return;
        var relative = path[(start + Name.Length + 6)..];
        if (relative.StartsWith("obj/", StringComparison.Ordinal)) return;
        if (!_folders.TryGetValue(type, out var folders)) _folders[type] = folders = [];
        folders.Add(relative.Contains('/') ? relative[..relative.LastIndexOf('/')] : "");
    }
}
