namespace Sluice.Loop;

/// <summary>A transport with small writes that leave at the end of the step: a link of the loop's intrusive flush list.</summary>
internal interface IStepFlush
{
    /// <summary>The next in the list. Only the loop sets it.</summary>
    IStepFlush? NextToFlush { get; set; }

    /// <summary>The step has ended. Taken out of the list before the call.</summary>
    void FlushStep();
}
