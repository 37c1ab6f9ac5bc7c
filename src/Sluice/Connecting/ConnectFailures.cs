using System.Net.Sockets;

namespace Sluice.Connecting;

/// <summary>The exception of a connect that failed on all of its addresses. Stateless.</summary>
internal static class ConnectFailures
{
    /// <summary>The only failure as it is; the first one where all have the same text; else an exception that names them all.</summary>
    /// <param name="failures">In the order of the attempts.</param>
    /// <param name="allErrors">Wants each of them, even the only one.</param>
    public static Exception Merge(IReadOnlyList<SocketException> failures, bool allErrors)
    {
        if (failures.Count == 0)
        {
            var reason = new SocketException((int)SocketError.HostNotFound, "There was no address to connect to.");
            return allErrors ? new AggregateException("The connect failed.", reason) : reason;
        }

        if (allErrors) return new AggregateException("The connect failed on every address.", failures);
        return failures.All(failure => failure.Message == failures[0].Message) ? failures[0] : new ConnectionFailedException(failures);
    }
}
