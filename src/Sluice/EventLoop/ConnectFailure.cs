using System.Net.Sockets;

namespace Sluice;

/// <summary>What a connect says that failed on all of its addresses.</summary>
internal static class ConnectFailure
{
    /// <summary>The only failure, or one that names them all under the code of the first.</summary>
    public static Exception Merge(IReadOnlyList<Exception> failures) => failures switch
    {
        [] => new SocketException((int)SocketError.HostNotFound),
        [var only] => only,
        _ => new SocketException(
            failures[0] is SocketException first ? (int)first.SocketErrorCode : (int)SocketError.SocketError,
            $"Multiple exceptions: {string.Join("; ", failures.Select(failure => failure.Message))}"),
    };
}
