namespace Sluice;

/// <summary>How a connection is opened, and how it behaves.</summary>
public sealed record ConnectionOptions : StreamOptions
{
    internal static ConnectionOptions Default { get; } = new();
}
