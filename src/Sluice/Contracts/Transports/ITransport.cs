namespace Sluice;

/// <summary>A duplex stream: what connections and servers hand to their protocols. (Guide: <i>Transports Hierarchy</i>.)</summary>
public interface ITransport : IReadTransport, IWriteTransport
{
    /// <inheritdoc cref="IReadTransport.SetProtocol"/>
    void SetProtocol(IProtocol<ITransport> protocol);

    /// <summary>Not for duplex transports: a <see cref="WriteProtocol"/> has no way to receive what arrives.</summary>
    /// <param name="protocol">A protocol that can only write.</param>
    [Obsolete("A WriteProtocol cannot receive; use a Protocol.", error: true)]
    new void SetProtocol(IProtocol<IWriteTransport> protocol);
}
