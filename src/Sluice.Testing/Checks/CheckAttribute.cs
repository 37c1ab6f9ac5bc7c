namespace Sluice.Testing.Checks;

/// <summary>Marks a check: a public static method that takes a <see cref="CheckStage"/> and returns a task.</summary>
/// <param name="caseIds">The behaviours of the catalogue that it covers, such as "TCP-005".</param>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CheckAttribute(params string[] caseIds) : Attribute
{
    public IReadOnlyList<string> CaseIds => caseIds;

    public CheckNeeds Needs { get; init; }
}
