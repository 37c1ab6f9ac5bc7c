using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>struct ucred: which process, as whom, stood at the other end of a Unix socket when the connection was made.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PeerIdentity
{
    public int ProcessId;
    public uint UserId;
    public uint GroupId;
}
