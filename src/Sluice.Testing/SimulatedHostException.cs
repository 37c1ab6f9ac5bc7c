namespace Sluice.Testing;

/// <summary>A program that was started on a simulated host (<see cref="SimulatedHost.Start"/>) has failed; why is the inner exception.</summary>
public sealed class SimulatedHostException : Exception
{
    internal SimulatedHostException(string host, Exception cause)
        : base($"A program on the host {host} failed: {cause.Message}", cause) => HostName = host;

    /// <summary>The host's name.</summary>
    public string HostName { get; }
}
