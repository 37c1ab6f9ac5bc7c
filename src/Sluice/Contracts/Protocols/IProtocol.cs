namespace Sluice;

/// <summary>
/// Marks which transports a protocol can serve. Derive from <see cref="Protocol"/>, <see cref="BufferedProtocol"/> or one of their
/// siblings instead of implementing it: the family is closed.
/// </summary>
/// <remarks>Invariant on purpose: were it contravariant, a protocol that only writes would compile on a duplex transport and its input would vanish.</remarks>
/// <typeparam name="TTransport">The transport that <see cref="ConnectionMade"/> receives.</typeparam>
public interface IProtocol<TTransport> where TTransport : class, IBaseTransport
{
    /// <summary>
    /// The connection is up. Called once, on the loop's thread, before every other callback. An exception goes to the loop's exception
    /// handler; the connection stays.
    /// </summary>
    /// <param name="transport">The transport. Keep it: nobody else will hand it to you.</param>
    void ConnectionMade(TTransport transport);

    internal BaseProtocol Instance { get; }
}
