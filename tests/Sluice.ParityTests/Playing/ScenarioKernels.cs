namespace Sluice.ParityTests.Playing;

/// <summary>The kernels on which a scenario shows the same every time.</summary>
public enum ScenarioKernels
{
    /// <summary>Real sockets, and the simulation whatever its seed.</summary>
    Any,

    /// <summary>Real sockets, and a simulation that does no surprises.</summary>
    Faithful,

    /// <summary>Real sockets only.</summary>
    Real,
}
