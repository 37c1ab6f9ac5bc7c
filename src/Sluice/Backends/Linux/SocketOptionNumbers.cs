using System.Net.Sockets;
using Sluice.Native;

namespace Sluice.Backends.Linux;

/// <summary>Linux's numbers for the socket options that .NET names, whose own numbers are those of Windows. Stateless.</summary>
internal static class SocketOptionNumbers
{
    /// <summary>False where the option has no whole number as its value, or Linux has no such option.</summary>
    public static bool TryFind(SocketOptionLevel level, SocketOptionName name, out int linuxLevel, out int linuxName)
    {
        linuxLevel = level == SocketOptionLevel.Socket ? SocketConstants.LevelSocket : (int)level;
        if (level == SocketOptionLevel.IPv6) linuxLevel = SocketConstants.LevelIPv6;
        linuxName = level switch
        {
            SocketOptionLevel.Socket => OfSocket(name),
            SocketOptionLevel.Tcp => OfTcp(name),
            SocketOptionLevel.IP => OfIP(name),
            SocketOptionLevel.IPv6 => OfIPv6(name),
            _ => 0,
        };
        return linuxName != 0;
    }

    private static int OfSocket(SocketOptionName name) => name switch
    {
        SocketOptionName.Debug => 1,
        SocketOptionName.ReuseAddress => SocketConstants.OptionReuseAddress,
        SocketOptionName.Type => SocketConstants.OptionType,
        SocketOptionName.Error => SocketConstants.OptionError,
        SocketOptionName.DontRoute => 5,
        SocketOptionName.Broadcast => SocketConstants.OptionBroadcast,
        SocketOptionName.SendBuffer => 7,
        SocketOptionName.ReceiveBuffer => 8,
        SocketOptionName.KeepAlive => SocketConstants.OptionKeepAlive,
        SocketOptionName.OutOfBandInline => 10,
        SocketOptionName.ReceiveLowWater => SocketConstants.OptionReceiveLowWater,
        SocketOptionName.SendLowWater => 19,
        SocketOptionName.AcceptConnection => 30,
        _ => 0,
    };

    private static int OfTcp(SocketOptionName name) => name switch
    {
        SocketOptionName.NoDelay => SocketConstants.OptionTcpNoDelay,
        SocketOptionName.TcpKeepAliveTime => 4,
        SocketOptionName.TcpKeepAliveInterval => 5,
        SocketOptionName.TcpKeepAliveRetryCount => 6,
        SocketOptionName.FastOpen => 23,
        _ => 0,
    };

    private static int OfIP(SocketOptionName name) => name switch
    {
        SocketOptionName.TypeOfService => 1,
        SocketOptionName.IpTimeToLive => 2,
        SocketOptionName.MulticastTimeToLive => SocketConstants.OptionMulticastTimeToLive,
        SocketOptionName.MulticastLoopback => SocketConstants.OptionMulticastLoopback,
        SocketOptionName.DontFragment => 10,
        _ => 0,
    };

    private static int OfIPv6(SocketOptionName name) => name switch
    {
        SocketOptionName.HopLimit => 16,
        SocketOptionName.MulticastInterface => SocketConstants.OptionIPv6MulticastInterface,
        SocketOptionName.MulticastTimeToLive => SocketConstants.OptionIPv6MulticastHops,
        SocketOptionName.MulticastLoopback => SocketConstants.OptionIPv6MulticastLoopback,
        SocketOptionName.IPv6Only => SocketConstants.OptionIPv6Only,
        _ => 0,
    };
}
