namespace Sluice.Backends;

/// <summary>Where on its way a connect failed.</summary>
internal enum ConnectStep
{
    /// <summary>No socket could be made.</summary>
    Socket,

    /// <summary>The local address could not be bound.</summary>
    Bind,

    /// <summary>The remote did not take the connection.</summary>
    Connect,
}
