namespace Sluice;

/// <summary>A limit that ends a connection: what a <see cref="ConnectionLimitException"/> says.</summary>
public enum ConnectionLimit
{
    /// <summary><see cref="StreamOptions.IdleTimeout"/>.</summary>
    IdleTimeout,

    /// <summary><see cref="StreamOptions.ReadTimeout"/>.</summary>
    ReadTimeout,

    /// <summary><see cref="StreamOptions.MinReadRate"/>.</summary>
    MinReadRate,

    /// <summary><see cref="ServerOptions.MaxConnections"/>, where <see cref="ServerOptions.ReplaceIdleAfter"/> gave the place to a new connection.</summary>
    MaxConnections,
}
