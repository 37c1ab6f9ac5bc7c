namespace Sluice.Sweep;

/// <summary>What befalls a server.</summary>
internal enum ServerAct
{
    Close,
    CloseClients,
    AbortClients,
    Dispose,
    Drain,
    ServeForever,
    StartServing,
    WaitClosed,
}
