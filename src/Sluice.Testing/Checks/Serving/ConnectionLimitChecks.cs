using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Serving;

/// <summary>The most connections that a server may have.</summary>
internal static class ConnectionLimitChecks
{
    [Check("BUG-052")]
    public static async Task Silent_clients_beyond_the_limit_are_reset_and_the_handler_hears_of_it_once(KernelStage stage)
    {
        const int Limit = 20;
        const int Crowd = 300;
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { MaxConnections = Limit });
        var address = reception.Server.EndPoints[0];
        var refused = new List<RecordingProtocol>();
        for (var i = 0; i < Crowd; i++)
        {
            var client = await DialAsync(stage, address);
            if (i >= Limit && client is not null) refused.Add(client);
        }

        foreach (var client in refused) await client.Lost;
        await stage.UntilAsync(() => reception.Server.RefusedConnectionCount == Crowd - Limit);

        Check.Equal(Limit, reception.Served.Count);
        Check.Equal(Limit, reception.Server.ConnectionCount);
        var report = stage.ClaimReport();
        Check.That(report.Message.Contains($"{Limit} connections", StringComparison.Ordinal), report.Message);
        Check.Equal(address, report.EndPoint);
        Check.Equal(0, stage.Reports.Count);
        if (stage.IsTcp) Check.That(refused.TrueForAll(static client => client.Lost.Result is SocketException { SocketErrorCode: SocketError.ConnectionReset }));
        Check.That(reception.Served.TrueForAll(static served => served.Trace is ["ConnectionMade"]));
        reception.Server.Close();
    }

    [Check("BUG-052")]
    public static async Task Room_again_means_service_again_and_a_new_report_at_the_next_flood(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { MaxConnections = 1 });
        var address = reception.Server.EndPoints[0];
        for (var round = 1; round <= 3; round++)
        {
            var pair = await reception.ConnectAsync();
            for (var i = 0; i < 3; i++)
            {
                if (await DialAsync(stage, address) is { } refused) await refused.Lost;
            }

            await stage.UntilAsync(() => reception.Server.RefusedConnectionCount == 3 * round);
            stage.ClaimReport();
            Check.Equal(0, stage.Reports.Count);
            pair.Client.Write("x"u8);
            await pair.ServerProtocol.WaitForBytesAsync(1);
            await pair.CloseAsync();
            await stage.UntilAsync(() => reception.Server.ConnectionCount == 0);
        }

        reception.Server.Close();
    }

    [Check("BUG-052")]
    public static async Task The_limit_is_eight_tenths_of_the_descriptors_unless_it_is_set(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);

        Check.Equal(Math.Max(1, stage.Loop.Core.Backend.DescriptorLimit * 4L / 5), reception.Server.MaxConnections);
        reception.Server.Close();
    }

    /// <summary>A client that is accepted by the kernel, or null where the reset was quicker than the connect.</summary>
    private static async Task<RecordingProtocol?> DialAsync(KernelStage stage, EndPoint address)
    {
        try
        {
            return (await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address)).Protocol;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
