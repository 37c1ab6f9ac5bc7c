using System.Diagnostics.CodeAnalysis;

namespace Sluice.Transports;

/// <summary>What a transport tells about itself and what lies below it: asyncio's extra info, typed and by name. The base of all stream transports.</summary>
internal abstract class KnowingTransport
{
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
}
