namespace Sluice.KernelTests.Loops.Kit;

/// <summary>What a loop runs over. What a loop promises holds on each.</summary>
public enum LoopKernel
{
    Simulated,
    Epoll,
}
