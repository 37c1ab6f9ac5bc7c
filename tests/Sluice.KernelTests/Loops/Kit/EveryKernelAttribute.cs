using System.Reflection;
using Xunit.Sdk;
using Xunit.v3;

namespace Sluice.KernelTests.Loops.Kit;

/// <summary>Runs a theory whose only parameter is a <see cref="LoopKernel"/> over each.</summary>
internal sealed class EveryKernelAttribute : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(MethodInfo testMethod, DisposalTracker disposalTracker) =>
        new(Enum.GetValues<LoopKernel>().Select(kernel => new TheoryDataRow<LoopKernel>(kernel)).ToArray());

    public override bool SupportsDiscoveryEnumeration() => true;
}
