using Sluice.Testing;

namespace Sluice.Tests.Shared;

/// <summary>The checks of the conformance suite that a run is to make, and their names in its results.</summary>
public static class CheckSelection
{
    /// <summary>All of them, or those whose name or case id is in SLUICE_CHECK (for example TCP-012).</summary>
    public static IEnumerable<TransportCheck> Wanted
    {
        get
        {
            var wanted = Environment.GetEnvironmentVariable("SLUICE_CHECK");
            return string.IsNullOrEmpty(wanted)
                ? TransportChecks.All
                : TransportChecks.All.Where(check => check.Name == wanted || check.CaseIds.Contains(wanted));
        }
    }

    /// <summary>The name of one run of a check. Its case ids stand in brackets, where eng/cases.sh finds them: rows of a theory lose their traits.</summary>
    public static string NameOf(TransportCheck check, string where) => $"{check.Name} [{string.Join(' ', check.CaseIds)}] ({where})";
}
