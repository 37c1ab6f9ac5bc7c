using System.Net.Sockets;

namespace Sluice;

/// <summary>
/// Several addresses were tried, and none could be connected to. Its error code is the first failure's; its message names them all.
/// (asyncio: <c>OSError: Multiple exceptions: …</c>.)
/// </summary>
public sealed class ConnectionFailedException : SocketException
{
    internal ConnectionFailedException(IReadOnlyList<SocketException> failures)
        : base((int)failures[0].SocketErrorCode, $"Multiple exceptions: {string.Join(", ", failures.Select(failure => failure.Message))}") =>
        Failures = failures;

    /// <summary>What failed, in the order of the attempts: at least two.</summary>
    public IReadOnlyList<SocketException> Failures { get; }
}
