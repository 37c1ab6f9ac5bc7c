namespace Sluice.Native;

/// <summary>Numbers of the Linux socket interface, equal on x64 and arm64.</summary>
internal static class SocketConstants
{
    public const int FamilyUnix = 1;
    public const int FamilyInet = 2;
    public const int FamilyInet6 = 10;

    public const int TypeStream = 1;
    public const int TypeNonBlocking = 0x800;
    public const int TypeCloseOnExec = 0x80000;

    public const int ProtocolTcp = 6;

    public const int DontWait = 0x40;
    public const int NoSignal = 0x4000;

    public const int ShutdownWrite = 1;

    public const int LevelSocket = 1;
    public const int LevelIPv6 = 41;

    public const int OptionReuseAddress = 2;
    public const int OptionType = 3;
    public const int OptionError = 4;
    public const int OptionKeepAlive = 9;
    public const int OptionLinger = 13;
    public const int OptionReusePort = 15;
    public const int OptionPeerCredentials = 17;
    public const int OptionListens = 30;
    public const int OptionDomain = 39;
    public const int OptionTcpNoDelay = 1;
    public const int OptionIPv6Only = 26;

    /// <summary>sizeof(struct sockaddr_un), the largest address of ours.</summary>
    public const int MaxAddressLength = 110;

    /// <summary>Room for a path in sockaddr_un, with its terminating zero.</summary>
    public const int UnixPathLength = 108;

    /// <summary>IOV_MAX: the most parts that one gathered send may have.</summary>
    public const int MaxVectors = 1024;
}
