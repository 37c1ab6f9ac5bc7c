namespace Sluice.Tests.House;

/// <summary>Says who breaks a rule, one a line and in full.</summary>
internal static class Rule
{
    public static void HasNo(IEnumerable<string> offences)
    {
        var all = offences.Distinct().ToList();
        Assert.True(all.Count == 0, string.Join('\n', all));
    }
}
