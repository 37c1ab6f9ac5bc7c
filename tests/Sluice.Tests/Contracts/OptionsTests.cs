using System.Reflection;
using Sluice.Testing;

namespace Sluice.Tests.Contracts;

/// <summary>The form that all options have.</summary>
public sealed class OptionsTests
{
    public static TheoryData<Type> Options =>
    [
        .. new[] { typeof(EventLoopOptions).Assembly, typeof(SimulationOptions).Assembly }.SelectMany(static assembly => assembly.GetExportedTypes())
            .Where(static type => type.Name.EndsWith("Options", StringComparison.Ordinal)),
    ];

    [Theory, MemberData(nameof(Options))]
    public void Options_can_be_made_from_others_by_with(Type type) => Assert.NotNull(type.GetMethod("<Clone>$"));

    [Theory, MemberData(nameof(Options))]
    public void Options_that_say_the_same_are_two_and_not_one(Type type)
    {
        if (type.IsAbstract) return;
        var (one, other) = (Make(type), Make(type));

        Assert.True(one.Equals(one));
        Assert.False(one.Equals(other));
        Assert.NotEqual(one.GetHashCode(), other.GetHashCode());
    }

    [Theory, MemberData(nameof(Options))]
    public void Nothing_of_options_changes_once_they_are_made(Type type) =>
        Assert.All(type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(static property => property.CanWrite), static property =>
            Assert.Contains(property.SetMethod!.ReturnParameter.GetRequiredCustomModifiers(), static modifier => modifier.Name == "IsExternalInit"));

    private static object Make(Type type)
    {
        var constructor = type.GetConstructors().MinBy(static constructor => constructor.GetParameters().Length)!;
        return constructor.Invoke([.. constructor.GetParameters().Select(static parameter => Activator.CreateInstance(parameter.ParameterType))]);
    }
}
