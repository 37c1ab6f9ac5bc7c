using System.Reflection.Metadata;

namespace Sluice.Tests.House;

/// <summary>A top-level type by assembly and full name.</summary>
internal sealed record TypeName(string Assembly, string Namespace, string Name)
{
    public override string ToString() => $"{Namespace}.{Name}";

    /// <summary>The top-level type that a definition is or lies in.</summary>
    public static TypeName Of(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil) type = metadata.GetTypeDefinition(type.GetDeclaringType());
        return new TypeName(
            metadata.GetString(metadata.GetAssemblyDefinition().Name), metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    /// <summary>The top-level type of another assembly that a reference means, or lies in.</summary>
    public static TypeName Of(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
            type = metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        var assembly = metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope);
        return new TypeName(metadata.GetString(assembly.Name), metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }
}
