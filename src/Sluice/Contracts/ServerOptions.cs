namespace Sluice;

/// <summary>How a server listens, and how the connections that it accepts behave.</summary>
public sealed record ServerOptions : StreamOptions
{
    internal static ServerOptions Default { get; } = new();

    /// <summary>How many connections the kernel may hold before they are accepted. Default: 100.</summary>
    public int Backlog { get; init; } = 100;

    /// <summary>Starts accepting at once. Otherwise call <c>Server.StartServingAsync</c>. Default: true.</summary>
    public bool StartServing { get; init; } = true;

    /// <summary>For a Unix socket: the permissions of its file, set before it can be connected to. Default: owner only (0600).</summary>
    public UnixFileMode UnixSocketMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;
}
