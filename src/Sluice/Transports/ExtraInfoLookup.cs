using System.Diagnostics.CodeAnalysis;

namespace Sluice.Transports;

/// <summary>asyncio's extra info, typed and by name, over what a transport finds by name. Stateless.</summary>
internal static class ExtraInfoLookup
{
    public static bool TryGet<T>(IExtraInfoSource source, ExtraInfo<T> key, [MaybeNullWhen(false)] out T value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (source.FindExtraInfo(key.Name) is T found)
        {
            value = found;
            return true;
        }

        value = default;
        return false;
    }

    public static object? Get(IExtraInfoSource source, string name, object? defaultValue)
    {
        ArgumentNullException.ThrowIfNull(name);
        return source.FindExtraInfo(name) ?? defaultValue;
    }
}

/// <summary>A transport, as its extra info sees it.</summary>
internal interface IExtraInfoSource
{
    /// <summary>A fact by asyncio's name, or null.</summary>
    object? FindExtraInfo(string name);
}
