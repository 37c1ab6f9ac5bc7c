namespace Sluice;

/// <summary>A child wrote more than its output was to have, and was killed.</summary>
public sealed class SubprocessOutputLimitException : IOException
{
    internal SubprocessOutputLimitException(int limit)
        : base($"The child wrote more than {limit:N0} bytes to one of its outputs, and was killed.") => Limit = limit;

    /// <summary>How many bytes it might have written.</summary>
    public int Limit { get; }
}
