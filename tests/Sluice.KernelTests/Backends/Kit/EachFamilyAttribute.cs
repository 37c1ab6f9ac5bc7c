using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Runs a theory once on each address family.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EachFamilyAttribute : DataAttribute
{
    /// <inheritdoc/>
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new([.. Enum.GetValues<Family>().Select(family => new TheoryDataRow<Family>(family))]);

    /// <inheritdoc/>
    public override bool SupportsDiscoveryEnumeration() => true;
}
