using System.Net;

namespace Sluice.Backends;

/// <summary>A listening socket in a backend. Owned by its server; used on the loop's thread.</summary>
internal abstract class ListenChannel
{
    /// <summary>Where it listens, with the port that was chosen. Keeps its answer after the close.</summary>
    public abstract EndPoint LocalName { get; }

    /// <summary>The socket for users to look at, or null where the backend has none.</summary>
    public abstract TransportSocket? Socket { get; }

    /// <summary>What the user should know about the address, or null.</summary>
    public virtual string? Warning => null;

    /// <summary>Listens and accepts, at most 16 connections per Poll, until Close. Idempotent.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel refuses to listen.</exception>
    public abstract void StartAccepting();

    /// <summary>
    /// Takes no more than what waits already: accepts that, at most 16 connections per Poll, then closes, and <see cref="IListenSink.OnFinished"/> follows from
    /// Poll unless <see cref="Close"/> comes before it.
    /// </summary>
    /// <returns>False where nothing waits that is ours to take, because it does not accept or is only borrowed: it is closed now, and nothing follows.</returns>
    public abstract bool Finish();

    /// <summary>Closes the listener; the sink is not called any more. Idempotent.</summary>
    public abstract void Close();
}
