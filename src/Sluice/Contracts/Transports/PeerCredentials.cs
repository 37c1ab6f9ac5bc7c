namespace Sluice;

/// <summary>
/// The process at the other end of a Unix socket, as the kernel noted it when the connection was made (SO_PEERCRED): it cannot be forged, and
/// does not change when the process changes its user. For <see cref="ExtraInfo.PeerCredentials"/> and
/// <see cref="ServerOptions.UnixPeerFilter"/>.
/// </summary>
/// <param name="ProcessId">The process that connected, or that listened. It may have ended, and its number may be another's by now: decide by the user.</param>
/// <param name="UserId">Its effective user.</param>
/// <param name="GroupId">Its effective group.</param>
public sealed record PeerCredentials(int ProcessId, uint UserId, uint GroupId);
