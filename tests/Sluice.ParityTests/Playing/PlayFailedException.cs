namespace Sluice.ParityTests.Playing;

/// <summary>A scenario did not come to its end.</summary>
internal sealed class PlayFailedException(string message, Exception cause) : Exception(message, cause);
