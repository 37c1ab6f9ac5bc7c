using System.Net.Sockets;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>Connections over sockets that existed before.</summary>
internal static class ExistingSocketChecks
{
    [Check("TCP-001", "TCP-002")]
    public static async Task Both_ends_of_a_pair_become_transports(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (near, nearProtocol) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        var (_, farProtocol) = await stage.Loop.AdoptAsync(() => stage.Watch(RecordingProtocol.Echo()), second);
        Check.Trace(nearProtocol.Trace, "ConnectionMade");

        near.Write(Payload.Of(200_000));
        await nearProtocol.WaitForBytesAsync(200_000);
        near.Close();

        Check.That(await nearProtocol.Lost is null);
        Check.That(await farProtocol.Lost is null);
        Check.Bytes(Payload.Of(200_000), nearProtocol.Received);
        Check.Trace(farProtocol.Record.Shape.Where(static entry => !entry.EndsWith("Writing", StringComparison.Ordinal)).Distinct().ToArray(),
            "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
    }

    [Check("TCP-003")]
    public static async Task Bytes_that_were_there_before_come_after_the_caller_has_resumed(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (near, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        near.Write("early"u8);
        await stage.SettleAsync();

        var order = new List<string>();
        var (_, far) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol { OnData = _ => order.Add("data") }), second);
        order.Add("resumed");
        await far.WaitForBytesAsync(5);

        Check.Trace(order.Distinct().ToArray(), "resumed", "data");
        Check.Bytes("early"u8, far.Received);
    }

    [Check("BUG-039", "BUG-043")]
    public static async Task A_factory_that_throws_closes_the_socket(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (_, far) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);

        await Check.ThrowsAsync<FormatException>(() => stage.Loop.AdoptAsync<RecordingProtocol>(() => throw new FormatException(), first));

        Check.That(await far.Lost is null);
        Check.Trace(far.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("BUG-043", "BUG-045")]
    public static async Task A_cancelled_adoption_closes_the_socket(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (_, far) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);

        await Check.ThrowsAsync<OperationCanceledException>(
            () => stage.Loop.AdoptAsync(static () => new RecordingProtocol(), first, cancellationToken: new CancellationToken(canceled: true)));

        await far.Lost;
    }

    [Check("TCP-066", Needs = CheckNeeds.Tcp)]
    public static async Task Small_segments_are_not_delayed_here_either(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (near, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        var (far, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);

        foreach (var transport in (ITransport[])[near, far])
        {
            var socket = transport.GetExtraInfo(ExtraInfo.Socket)!;
            if (socket.ProtocolType == ProtocolType.Tcp) Check.That(socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay) != 0);
        }
    }
}
