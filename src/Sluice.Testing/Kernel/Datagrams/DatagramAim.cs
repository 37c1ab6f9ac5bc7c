using System.Net;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>What an address means to a datagram: one host, all of them, or the members of a group.</summary>
internal static class DatagramAim
{
    private static readonly IPAddress NetworkBroadcast = IPAddress.Parse("10.255.255.255");

    /// <summary>Everybody on the same host.</summary>
    public static IPAddress OwnBroadcast { get; } = IPAddress.Parse("127.255.255.255");

    public static bool IsBroadcast(IPAddress address) => address.Equals(IPAddress.Broadcast) || address.Equals(NetworkBroadcast) || address.Equals(OwnBroadcast);

    public static bool IsForMany(IPAddress address) => IsBroadcast(address) || IsMulticast(address);

    /// <summary>What a socket sends to an address for many leaves for a host.</summary>
    public static bool Reaches(SimulatedDatagramSocket sender, IPAddress address, SimulatedMachine machine)
    {
        var isOwn = machine == sender.Machine;
        if (IsMulticast(address)) return isOwn ? sender.HearsItself : sender.LeavesHost;
        return isOwn || !address.Equals(OwnBroadcast);
    }

    private static bool IsMulticast(IPAddress address)
    {
        if (address.IsIPv6Multicast) return true;
        Span<byte> bytes = stackalloc byte[16];
        return address.TryWriteBytes(bytes, out var length) && length == 4 && bytes[0] is >= 224 and < 240;
    }
}
