using System.Reflection;

namespace Sluice.Tests.House;

/// <summary>The names of types as C# writes them, nullability included.</summary>
internal static class TypeText
{
    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(short)] = "short",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(double)] = "double",
        [typeof(nint)] = "nint",
    };

    public static string Of(FieldInfo field) => Of(Nullability.Create(field), field.FieldType);

    public static string Of(PropertyInfo property) => Of(Nullability.Create(property), property.PropertyType);

    public static string Of(EventInfo e) => Of(Nullability.Create(e), e.EventHandlerType!);

    public static string Of(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        return type.IsByRef ? Name(type.GetElementType()!) : Of(Nullability.Create(parameter), type);
    }

    /// <summary>A type's name without annotations.</summary>
    public static string Name(Type type)
    {
        if (Keywords.TryGetValue(type, out var keyword)) return keyword;
        if (type.IsGenericParameter) return type.Name;
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        if (Nullable.GetUnderlyingType(type) is { } value) return Name(value) + "?";
        return type.IsGenericType ? Generic(type, type.GetGenericArguments().Select(Name)) : Outer(type) + type.Name;
    }

    /// <summary>The name of a constructor.</summary>
    public static string Simple(Type type) => type.Name.Split('`')[0];

    public static string Arguments(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Name))}>" : "";

    public static string Constraints(IEnumerable<Type> parameters) => string.Concat(parameters.Select(Constraint));

    private static string Of(NullabilityInfo info, Type type)
    {
        var text = Keywords.GetValueOrDefault(type)
            ?? (type.IsArray ? Of(info.ElementType!, type.GetElementType()!) + "[]"
            : Nullable.GetUnderlyingType(type) is { } value ? Name(value)
            : type.IsGenericType && info.GenericTypeArguments.Length > 0
                ? Generic(type, type.GetGenericArguments().Zip(info.GenericTypeArguments, (argument, nullability) => argument.IsGenericParameter ? argument.Name : Of(nullability, argument)))
            : Name(type));
        return info.ReadState == NullabilityState.Nullable ? text + "?" : text;
    }

    private static string Generic(Type type, IEnumerable<string> arguments) =>
        type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true
            ? $"({string.Join(", ", arguments)})"
            : $"{Outer(type)}{Simple(type)}<{string.Join(", ", arguments)}>";

    private static string Outer(Type type) => type is { IsNested: true, IsGenericParameter: false } ? Name(type.DeclaringType!) + "." : "";

    private static string Constraint(Type parameter)
    {
        var attributes = parameter.GenericParameterAttributes;
        var constraints = parameter.GetGenericParameterConstraints().Where(type => type != typeof(ValueType)).Select(Name).ToList();
        if (attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint)) constraints.Insert(0, "struct");
        else if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint)) constraints.Add("new()");
        if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint)) constraints.Insert(0, "class");
        return constraints.Count > 0 ? $" where {parameter.Name} : {string.Join(", ", constraints)}" : "";
    }
}
