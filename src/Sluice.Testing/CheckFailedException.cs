namespace Sluice.Testing;

/// <summary>A transport does not behave as a check demands.</summary>
public sealed class CheckFailedException : Exception
{
    /// <summary>With what was expected and what happened.</summary>
    /// <param name="message">The difference, in words.</param>
    /// <param name="cause">What led to it, if an exception did.</param>
    public CheckFailedException(string message, Exception? cause = null)
        : base(message, cause)
    {
    }
}
