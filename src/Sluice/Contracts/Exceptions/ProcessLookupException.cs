namespace Sluice;

/// <summary>A signal was to be sent to a child that has ended. Nobody got it. (asyncio: <c>ProcessLookupError</c>.)</summary>
public sealed class ProcessLookupException : InvalidOperationException
{
    internal ProcessLookupException(int processId)
        : base($"Process {processId} has ended.") => ProcessId = processId;

    /// <summary>The number that the child had. It may be another process's now.</summary>
    public int ProcessId { get; }
}
