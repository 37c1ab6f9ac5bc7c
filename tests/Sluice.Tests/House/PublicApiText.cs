using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Sluice.Tests.House;

/// <summary>
/// The public surface of an assembly as sorted C# declarations, one member a line, to be compared and reviewed as text. Of a record it shows what was
/// written, not what the word adds by itself.
/// </summary>
internal static class PublicApiText
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().Where(IsDeclared).OrderBy(type => TypeText.Name(type), StringComparer.Ordinal))
        {
            if (text.Length > 0) text.Append('\n');
            text.Append(Declaration(type)).Append('\n');
            foreach (var member in Members(type)) text.Append("    ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    // The compiler keeps the receivers of extension members in types of its own, whose names no program can write.
    private static bool IsDeclared(Type type) => !type.Name.Contains('<') && type.DeclaringType?.Name.Contains('<') is not true;

    private static string Declaration(Type type)
    {
        if (typeof(Delegate).IsAssignableFrom(type))
            return $"delegate {Signature(type.GetMethod("Invoke")!, TypeText.Name(type))}{TypeText.Constraints(type.GetGenericArguments())}";
        var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
            : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        if (IsRecord(type)) kind = kind.Replace("class", "record", StringComparison.Ordinal).Replace("struct", "record struct", StringComparison.Ordinal);
        var bases = type.GetInterfaces().Where(candidate => candidate.IsVisible && !IsInherited(type, candidate) && !IsAddedToRecord(type, candidate)).Select(TypeText.Name).Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { } parent && type.IsClass && parent != typeof(object)) bases.Insert(0, TypeText.Name(parent));
        if (type.IsEnum) bases = [TypeText.Name(type.GetEnumUnderlyingType())];
        return $"{kind} {TypeText.Name(type)}{(bases.Count > 0 ? " : " + string.Join(", ", bases) : "")}{TypeText.Constraints(type.GetGenericArguments())}";
    }

    // Every record can print its members, as no other type does.
    private static bool IsRecord(Type type) => type.GetMethod("PrintMembers", Declared) is { } print && IsSynthesized(print);

    private static bool IsAddedToRecord(Type type, Type candidate) => IsRecord(type) && candidate == typeof(IEquatable<>).MakeGenericType(type);

    private static bool IsSynthesized(MemberInfo member) =>
        member.IsDefined(typeof(CompilerGeneratedAttribute)) || member is PropertyInfo { GetMethod: { } getter, Name: "EqualityContract" } && IsSynthesized(getter);

    private static bool IsInherited(Type type, Type candidate) =>
        type.BaseType?.GetInterfaces().Contains(candidate) == true
        || type.GetInterfaces().Any(other => other != candidate && other.GetInterfaces().Contains(candidate));

    // Constructors first, the rest by name; an enum's values in their own order.
    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum) return Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(value => $"{Enum.GetName(type, value)} = {value}");
        if (typeof(Delegate).IsAssignableFrom(type)) return [];
        return from member in type.GetMembers(Declared)
               where !IsSynthesized(member)
               let text = Member(member)
               where text is not null
               orderby member.MemberType != MemberTypes.Constructor, member.Name, text
               select text;
    }

    private static string? Member(MemberInfo member) => member switch
    {
        ConstructorInfo constructor when IsOpen(constructor) && !constructor.IsStatic =>
            $"{Access(constructor)}{TypeText.Simple(constructor.DeclaringType!)}{Parameters(constructor)}",
        FieldInfo field when field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly => Field(field),
        PropertyInfo property when property.GetAccessors(true).Any(IsOpen) => Property(property),
        EventInfo e when IsOpen(e.AddMethod!) => $"{Access(e.AddMethod!)}{Modifiers(e.AddMethod!)}event {TypeText.Of(e)} {e.Name}",
        MethodInfo method when IsOpen(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) =>
            $"{Obsolete(method)}{Access(method)}{Modifiers(method)}{Signature(method, method.Name + TypeText.Arguments(method))}{TypeText.Constraints(method.GetGenericArguments())}",
        _ => null,
    };

    private static string Field(FieldInfo field)
    {
        var modifiers = field.IsLiteral ? "const " : field.IsStatic ? "static " : "";
        var value = field.IsLiteral ? $" = {Literal(field.GetRawConstantValue())}" : "";
        return $"{(field.IsPublic ? "" : "protected ")}{modifiers}{(field.IsInitOnly ? "readonly " : "")}{TypeText.Of(field)} {field.Name}{value}";
    }

    private static string Property(PropertyInfo property)
    {
        var accessor = property.GetAccessors(true).First(IsOpen);
        var set = property.SetMethod is { } setter && IsOpen(setter)
            ? setter.ReturnParameter.GetRequiredCustomModifiers().Any(modifier => modifier.Name == "IsExternalInit") ? " init;" : " set;"
            : "";
        return $"{Access(accessor)}{Modifiers(accessor)}{TypeText.Of(property)} {property.Name} {{{(property.GetMethod is { } getter && IsOpen(getter) ? " get;" : "")}{set} }}";
    }

    private static string Signature(MethodInfo method, string name) => $"{TypeText.Of(method.ReturnParameter)} {name}{Parameters(method)}";

    private static string Parameters(MethodBase method) => $"({string.Join(", ", method.GetParameters().Select(Parameter))})";

    private static string Parameter(ParameterInfo parameter)
    {
        var modifier = parameter.IsOut ? "out " : parameter.IsIn && parameter.ParameterType.IsByRef ? "in " : parameter.ParameterType.IsByRef ? "ref "
            : parameter.GetCustomAttributesData().Any(attribute => attribute.AttributeType.Name is "ParamArrayAttribute" or "ParamCollectionAttribute") ? "params " : "";
        return $"{modifier}{TypeText.Of(parameter)} {parameter.Name}{(parameter.HasDefaultValue ? $" = {Default(parameter)}" : "")}";
    }

    private static string Default(ParameterInfo parameter) =>
        parameter.RawDefaultValue is null && parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null
            ? "default"
            : parameter.ParameterType.IsEnum ? $"{parameter.ParameterType.Name}.{Enum.GetName(parameter.ParameterType, parameter.RawDefaultValue!)}"
            : Literal(parameter.RawDefaultValue);

    private static string Literal(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        bool truth => truth ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static bool IsOpen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) => method.IsPublic ? "" : "protected ";

    private static string Obsolete(MethodInfo method) =>
        method.GetCustomAttribute<ObsoleteAttribute>() is { } attribute ? $"[Obsolete({(attribute.IsError ? "error" : "warning")})] " : "";

    private static string Modifiers(MethodInfo method) =>
        method.IsStatic ? method.IsAbstract ? "static abstract " : "static "
        : method.DeclaringType!.IsInterface ? method.IsAbstract ? "" : "virtual "
        : method.GetBaseDefinition() != method ? method.IsFinal ? "sealed override " : "override "
        : method.IsAbstract ? "abstract " : method is { IsVirtual: true, IsFinal: false } ? "virtual " : "";
}
