namespace Sluice.Backends;

/// <summary>What becomes of a listening socket that existed before its server.</summary>
internal enum ListenerOwnership
{
    /// <summary>It stays its owner's, unchanged: a duplicate is served and closed.</summary>
    Borrowed,

    /// <summary>It is closed with the server. A Unix socket's file stays.</summary>
    Owned,

    /// <summary>It is closed with the server, and its file is removed where the options say so.</summary>
    OwnedWithFile,
}
