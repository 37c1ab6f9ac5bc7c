namespace Sluice;

/// <summary>How the connections of a server ended that was drained: see <c>Server.DrainAsync</c>.</summary>
/// <param name="Finished">How many ended by themselves, for whatever reason, before the deadline.</param>
/// <param name="Aborted">How many were cut off: by the deadline, by <c>Server.AbortClients</c>, or by the end of the loop.</param>
public readonly record struct DrainResult(int Finished, int Aborted);
