using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Datagrams.Kit;

namespace Sluice.KernelTests.Faults;

/// <summary>The scenarios that use the call sites of datagrams. A lost datagram is no failure: nobody waits for more than comes.</summary>
internal static class DatagramFaultScenarios
{
    private const int MostPasses = 200;

    public static async Task ExchangeAsync(EventLoop loop, EndPoint address)
    {
        var echo = Hearer.Echo();
        await loop.CreateDatagramEndpointAsync(() => echo, address);
        var (transport, asker) = await loop.CreateDatagramEndpointAsync(static () => new Hearer(), remote: echo.Transport.GetExtraInfo(ExtraInfo.SocketName));
        for (var i = 0; i < 3; i++) transport.SendTo(new byte[i]);
        await PassAsync(() => asker.Datagrams.Count == 3);
        await CloseAsync(asker, echo);
    }

    public static async Task SendToManyAsync(EventLoop loop)
    {
        foreach (var group in (IPAddress[])[IPAddress.Parse("239.255.77.2"), IPAddress.Parse("ff01::77:2")])
        {
            var options = new DatagramOptions
            {
                ReusePort = true,
                AllowBroadcast = true,
                MulticastInterface = 1,
                MulticastTimeToLive = 0,
                MulticastLoopback = true,
            };
            var any = group.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
            var (transport, hearer) = await loop.CreateDatagramEndpointAsync(static () => new Hearer(), new IPEndPoint(any, 0), options: options);
            try
            {
                transport.JoinMulticastGroup(group, 1);
                transport.SendTo("hello"u8, new IPEndPoint(group, ((IPEndPoint)transport.GetExtraInfo(ExtraInfo.SocketName)!).Port));
                await PassAsync(() => hearer.Datagrams.Count == 1);
                transport.LeaveMulticastGroup(group, 1);
            }
            finally
            {
                await CloseAsync(hearer);
            }
        }
    }

    public static async Task ExchangeByPathAsync(EventLoop loop, string folder)
    {
        var (near, far) = (new UnixDomainSocketEndPoint(Path.Combine(folder, "near")), new UnixDomainSocketEndPoint(Path.Combine(folder, "far")));
        FaultScenarios.LeaveStaleFile(near);
        var echo = Hearer.Echo();
        await loop.CreateDatagramEndpointAsync(() => echo, near);
        var (transport, asker) = await loop.CreateDatagramEndpointAsync(static () => new Hearer(), far);
        for (var i = 0; i < 30; i++) transport.SendTo("hello"u8, near);
        await PassAsync(() => asker.Datagrams.Count == 30);
        await CloseAsync(asker, echo);
    }

    public static async Task AdoptAsync(EventLoop loop)
    {
        var (first, second) = SocketPair.CreateDatagram();
        using (first)
        using (second)
        {
            var (_, hearer) = await loop.CreateDatagramEndpointAsync(static () => new Hearer(), first);
            second.Send("hello"u8);
            await PassAsync(() => hearer.Datagrams.Count == 1);
            await CloseAsync(hearer);
        }
    }

    private static async Task PassAsync(Func<bool> isDone)
    {
        for (var i = 0; i < MostPasses && !isDone(); i++) await Task.Yield();
    }

    private static async Task CloseAsync(params Hearer[] hearers)
    {
        foreach (var hearer in hearers) hearer.Transport.Close();
        foreach (var hearer in hearers) await hearer.Lost;
    }
}
