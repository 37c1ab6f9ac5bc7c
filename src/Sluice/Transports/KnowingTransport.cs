using System.Diagnostics.CodeAnalysis;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// Where a stream transport lives and what it knows: its loop, the transport that it carries, if any, and asyncio's extra info, typed and by name. The base of all
/// stream transports.
/// </summary>
internal abstract class KnowingTransport(LoopCore loop)
{
    private protected readonly LoopCore _loop = loop;

    /// <summary>What it carries since an upgrade: its users have that one instead.</summary>
    private protected ITransport? _above;

    internal LoopCore Loop => _loop;

    internal bool IsBelow => _above is not null;

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (FindExtraInfo(key.Name) is T found)
        {
            value = found;
            return true;
        }

        value = default;
        return false;
    }

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => TryGetExtraInfo(key, out var value) ? value : null;

    public object? GetExtraInfo(string name, object? defaultValue = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return FindExtraInfo(name) ?? defaultValue;
    }

    /// <summary>A fact by asyncio's name, or null.</summary>
    protected abstract object? FindExtraInfo(string name);

    /// <summary>Why it broke, as users see it.</summary>
    private protected virtual Exception ToException(IoError error) => error.ToException();

    /// <summary>Begins every call of a user's that acts.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or the transport carries another one.</exception>
    private protected void VerifyUser()
    {
        _loop.VerifyThread();
        if (_above is not null) ThrowBelow();
    }

    private void ThrowBelow() => throw new InvalidOperationException(
        $"This transport carries a TLS connection now ({_above}): use the transport that StartTlsAsync has returned.");
}
