using System.Diagnostics.CodeAnalysis;

namespace Sluice;

/// <summary>
/// What every transport can do: say what it is, name its protocol, and close.
/// (Guide: <i>Base Transport</i>.)
/// </summary>
/// <remarks>
/// Transports are made by the loop, never by users. Methods act on the loop's thread only and throw
/// <see cref="InvalidOperationException"/> elsewhere, before anything changes. Properties and the <c>GetExtraInfo</c> family may be
/// read from any thread; what they say may be stale there.
/// </remarks>
public interface IBaseTransport
{
    /// <summary>True from the first call of <see cref="Close"/> or <c>Abort</c>, or the loss of the connection, and for ever after.</summary>
    bool IsClosing { get; }

    /// <summary>The protocol that is called now, or null once its <see cref="BaseProtocol.ConnectionLost"/> has returned.</summary>
    BaseProtocol? Protocol { get; }

    /// <summary>
    /// Closes gracefully. Nothing more is received. Bytes already accepted by a write are sent first, however long the peer takes to
    /// read them; then, in a later turn, <see cref="BaseProtocol.ConnectionLost"/> is called with null. Closing again does nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void Close();

    /// <summary>Looks up a fact about the transport or what lies below it.</summary>
    /// <param name="key">One of the keys of <see cref="ExtraInfo"/>.</param>
    /// <param name="value">The fact, where there is one.</param>
    /// <returns>False where this transport does not know the key.</returns>
    bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value);

    /// <summary>The fact under a typed key, or null where this transport does not know it.</summary>
    /// <param name="key">One of the keys of <see cref="ExtraInfo"/>.</param>
    T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class;

    /// <summary>The fact under asyncio's name for it, or <paramref name="defaultValue"/> where this transport does not know it.</summary>
    /// <param name="name">For example <c>"peername"</c>; see <see cref="ExtraInfo"/> for the names in use.</param>
    /// <param name="defaultValue">The answer for a name that is unknown here.</param>
    object? GetExtraInfo(string name, object? defaultValue = null);
}
