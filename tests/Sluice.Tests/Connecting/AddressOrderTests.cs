using System.Net;
using Sluice.Connecting;

namespace Sluice.Tests.Connecting;

/// <summary>The order in which addresses of two families are tried.</summary>
public sealed class AddressOrderTests
{
    [Theory, Case("CONN-030")]
    [InlineData("4a 4b 4c 6a 6b", 0, "4a 4b 4c 6a 6b")]
    [InlineData("4a 4b 4c 6a 6b", 1, "4a 6a 4b 6b 4c")]
    [InlineData("6a 6b 4a 4b 4c", 1, "6a 4a 6b 4b 4c")]
    [InlineData("6a 4a 6b 4b 6c", 2, "6a 6b 4a 6c 4b")]
    [InlineData("4a 4b 6a", 9, "4a 4b 6a")]
    [InlineData("6a 6b 6c", 1, "6a 6b 6c")]
    [InlineData("", 1, "")]
    [InlineData("", 3, "")]
    public void Families_take_turns_behind_the_lead_of_the_first(string addresses, int lead, string expected)
    {
        var given = addresses.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(name => name, AddressOf);

        var ordered = AddressOrder.Interleave([.. given.Values], lead);

        Assert.Equal(expected, string.Join(' ', ordered.Select(address => given.First(entry => ReferenceEquals(entry.Value, address)).Key)));
    }

    private static IPEndPoint AddressOf(string name) => new(IPAddress.Parse(name[0] == '4' ? $"10.0.0.{name[1] - 'a' + 1}" : $"fd00::{name[1]}"), 80);
}
