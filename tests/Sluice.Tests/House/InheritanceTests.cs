namespace Sluice.Tests.House;

/// <summary>An object is composed of parts that own their state; it is not cut into storeys of base classes to keep files short.</summary>
public sealed class InheritanceTests
{
    private const int Deepest = 2;

    [Fact]
    public void A_transport_is_at_most_two_classes_deep()
    {
        var transports = typeof(EventLoop).Assembly.GetTypes().Where(type => type.IsClass && type.IsAssignableTo(typeof(IBaseTransport))).ToList();

        Assert.NotEmpty(transports);
        Rule.HasNo(
            from type in transports
            let line = OwnLine(type)
            where line.Count > Deepest
            select string.Join(" : ", line.Select(each => each.Name)));
    }

    [Fact]
    public void The_two_halves_of_a_transport_know_it_and_not_each_other()
    {
        using var sluice = new CompiledAssembly("Sluice");

        var sending = Names("SendingHalf");
        var receiving = Names("ReceivingHalf");

        Assert.Contains("StreamTransport", sending);
        Assert.Contains("StreamTransport", receiving);
        Assert.DoesNotContain("ReceivingHalf", sending);
        Assert.DoesNotContain("SendingHalf", receiving);

        HashSet<string> Names(string type) =>
            [.. sluice.ReferencesOf(sluice.Types.Single(each => each.Namespace == "Sluice.Transports" && each.Name == type)).Select(each => each.Name)];
    }

    /// <summary>A class and its base classes, as far as they are the library's own.</summary>
    private static List<Type> OwnLine(Type type)
    {
        var line = new List<Type>();
        for (var each = type; each?.Assembly == typeof(EventLoop).Assembly; each = each.BaseType) line.Add(each);
        return line;
    }
}
