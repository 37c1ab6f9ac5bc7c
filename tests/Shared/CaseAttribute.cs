using Xunit.v3;

namespace Sluice.Tests.Shared;

/// <summary>
/// Names the behaviours of tests/catalogue.tsv that a test holds, such as <c>[Case("TCP-012", "BUG-010")]</c>. It becomes the trait
/// <c>Case</c>, so that a test can be picked by it (<c>--filter-trait "Case=TCP-012"</c>) and eng/cases.sh can list what is covered.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
internal sealed class CaseAttribute(params string[] ids) : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. ids.Select(id => KeyValuePair.Create("Case", id))];
}
