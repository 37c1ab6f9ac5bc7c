namespace Sluice.Testing;

/// <summary>The program waits for something that can never happen: no timer, no event and no other thread is left that could end the wait.</summary>
public sealed class SimulationStalledException : Exception
{
    /// <summary>With a description of who waits for what.</summary>
    /// <param name="message">A line per host.</param>
    public SimulationStalledException(string message)
        : base(message)
    {
    }
}
