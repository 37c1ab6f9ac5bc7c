namespace Sluice.Testing.Kernel;

/// <summary>Something in a simulated backend that may have an event to report: a channel, a listener, an operation.</summary>
internal interface ISimulatedSource
{
    /// <summary>It has something to report, or work to do, now.</summary>
    bool IsReady { get; }

    /// <summary>Decides where it stands among those that are ready at the same time; null: the network's dice do.</summary>
    KernelDice? Dice => null;

    /// <summary>Reports it, within the backend's Poll.</summary>
    /// <returns>True where a sink was called.</returns>
    bool Report();
}
