namespace Sluice.Native;

/// <summary>Numbers of the Linux socket interface, equal on x64 and arm64.</summary>
internal static class SocketConstants
{
    public const int FamilyUnix = 1;
    public const int FamilyInet = 2;
    public const int FamilyInet6 = 10;

    public const int TypeStream = 1;
    public const int TypeDatagram = 2;
    public const int TypeNonBlocking = 0x800;
    public const int TypeCloseOnExec = 0x80000;

    public const int ProtocolTcp = 6;
    public const int ProtocolUdp = 17;

    public const int DontWait = 0x40;
    public const int NoSignal = 0x4000;
    public const int ControlTruncated = 0x8;
    public const int Truncated = 0x20;
    public const int ErrorQueue = 0x2000;

    public const int ShutdownWrite = 1;

    public const int LevelIP = 0;
    public const int LevelSocket = 1;
    public const int LevelIPv6 = 41;

    public const int OptionReuseAddress = 2;
    public const int OptionType = 3;
    public const int OptionError = 4;
    public const int OptionBroadcast = 6;
    public const int OptionKeepAlive = 9;
    public const int OptionLinger = 13;
    public const int OptionReusePort = 15;
    public const int OptionPeerCredentials = 17;
    public const int OptionReceiveLowWater = 18;
    public const int OptionListens = 30;
    public const int OptionDomain = 39;
    public const int OptionTcpNoDelay = 1;
    public const int OptionTcpCork = 3;
    public const int OptionTcpUserTimeout = 18;
    public const int OptionIPv6Only = 26;
    public const int OptionMulticastInterface = 32;
    public const int OptionMulticastTimeToLive = 33;
    public const int OptionMulticastLoopback = 34;
    public const int OptionIPv6MulticastInterface = 17;
    public const int OptionIPv6MulticastHops = 18;
    public const int OptionIPv6MulticastLoopback = 19;

    /// <summary>UDP_SEGMENT: one message is sent as several datagrams of this size; the last may be shorter.</summary>
    public const int OptionUdpSegment = 103;

    /// <summary>UDP_GRO: datagrams of one size from one sender may be received as one message, with their size beside it.</summary>
    public const int OptionUdpMerge = 104;

    /// <summary>The MCAST_ options, which are the same for both families.</summary>
    public const int OptionJoinGroup = 42;
    public const int OptionLeaveGroup = 45;
    public const int OptionJoinSourceGroup = 46;
    public const int OptionLeaveSourceGroup = 47;

    /// <summary>sizeof(struct sockaddr_un), the largest address of ours.</summary>
    public const int MaxAddressLength = 110;

    /// <summary>Room for a path in sockaddr_un, with its terminating zero.</summary>
    public const int UnixPathLength = 108;

    /// <summary>IOV_MAX: the most parts that one gathered send may have.</summary>
    public const int MaxVectors = 1024;
}
