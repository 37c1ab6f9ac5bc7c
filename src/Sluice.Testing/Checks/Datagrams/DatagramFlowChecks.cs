using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>Flow control of datagram endpoints: what happens while the kernel has no room.</summary>
internal static class DatagramFlowChecks
{
    private const int Piece = 1000;
    private const int Most = 100_000;

    [Check("UDP-010", "UDP-018", "UDP-009", "BUG-070", Needs = CheckNeeds.DatagramRoom)]
    public static async Task What_the_kernel_has_no_room_for_waits_and_leaves_in_order(KernelStage stage)
    {
        foreach (var isConnected in (bool[])[true, false])
        {
            var receiver = stage.Datagrams.CreateStuckReceiver();
            var end = isConnected ? await stage.Datagrams.ConnectAsync(receiver.Address) : await stage.Datagrams.OpenAsync();
            var sent = await FillAsync(stage, end, receiver, isConnected, 50);
            Check.That(end.Transport.WriteBufferSize > 0);
            Check.Equal(0, end.Transport.WriteBufferSize % (Piece + 8), "the bytes of waiting datagrams, 8 more for each");

            await DrainAsync(stage, end, receiver, sent);
            VerifyOrder(receiver, sent);
            Check.Trace(end.Protocol.Trace, "ConnectionMade");
            end.Transport.Abort();
        }
    }

    [Check("UDP-008", "BUG-068", "BUG-070", Needs = CheckNeeds.DatagramRoom)]
    public static async Task Empty_datagrams_wait_too_and_cost_eight_bytes(KernelStage stage)
    {
        var receiver = stage.Datagrams.CreateStuckReceiver();
        var end = await stage.Datagrams.ConnectAsync(receiver.Address);
        var before = await FillAsync(stage, end, receiver, isConnected: true, 0);
        var size = end.Transport.WriteBufferSize;
        for (var i = 0; i < 5; i++) end.Send([]);
        await stage.SettleAsync();
        Check.Equal(size + 40, end.Transport.WriteBufferSize);

        await DrainAsync(stage, end, receiver, before + 5);
        Check.Equal(5, receiver.Received.Count(static datagram => datagram.Length == 0));
        Check.Equal(0, end.Transport.WriteBufferSize);
    }

    [Check("BUG-070", "FLOW-001", Needs = CheckNeeds.DatagramRoom)]
    public static async Task Writing_pauses_above_high_and_resumes_at_low(KernelStage stage)
    {
        var receiver = stage.Datagrams.CreateStuckReceiver();
        var end = await stage.Datagrams.ConnectAsync(receiver.Address);
        Check.Equal((16 * 1024, 64 * 1024), end.Transport.WriteBufferLimits);
        var sizeAtResume = -1;
        end.Protocol.OnResume = () => sizeAtResume = end.Transport.WriteBufferSize;
        for (var round = 0; round < 3; round++)
        {
            var taken = receiver.Received.Count;
            var sent = 0;
            while (!end.Protocol.IsWritingPaused)
            {
                Check.That(end.Transport.WriteBufferSize <= 64 * 1024, "more than the high watermark waits, and nobody was told to pause");
                Check.That(sent < Most);
                end.Send(Payload.At(taken + sent++, Piece));
                if (sent % 16 == 0) await stage.NextPassAsync();
            }

            Check.That(end.Transport.WriteBufferSize > 64 * 1024);
            await DrainAsync(stage, end, receiver, taken + sent);
            Check.That(sizeAtResume is >= 0 and <= 16 * 1024);
            Check.Equal(0, end.Transport.WriteBufferSize);
            if (stage.IsTcp) break;
        }

        Check.Trace([.. end.Protocol.Trace.Take(3)], "ConnectionMade", "PauseWriting", "ResumeWriting");
        Check.That(!end.Protocol.IsWritingPaused);
    }

    [Check("FLOW-002", Needs = CheckNeeds.DatagramRoom)]
    public static async Task Limits_can_be_set_and_zero_pauses_at_the_first_that_waits(KernelStage stage)
    {
        var receiver = stage.Datagrams.CreateStuckReceiver();
        var end = await stage.Datagrams.ConnectAsync(receiver.Address);
        end.Transport.SetWriteBufferLimits(high: 4000);
        Check.Equal((1000, 4000), end.Transport.WriteBufferLimits);
        Check.Throws<ArgumentException>(() => end.Transport.SetWriteBufferLimits(high: 1, low: 2));
        end.Transport.SetWriteBufferLimits(high: 0);
        var sent = await FillAsync(stage, end, receiver, isConnected: true, 0);
        Check.Trace([.. end.Protocol.Trace.TakeLast(1)], "PauseWriting");

        await DrainAsync(stage, end, receiver, sent);
        Check.That(!end.Protocol.IsWritingPaused);
    }

    [Check("BUG-068", Needs = CheckNeeds.DatagramRoom)]
    public static async Task Above_the_hard_limit_the_newest_datagram_is_dropped_and_the_endpoint_lives(KernelStage stage)
    {
        const int Limit = 20_000;
        var receiver = stage.Datagrams.CreateStuckReceiver();
        var end = await stage.Datagrams.ConnectAsync(receiver.Address, new DatagramOptions { MaxWriteBufferSize = Limit });
        var sent = 0;
        while (end.Protocol.Errors.Count == 0)
        {
            Check.That(sent < Most);
            end.Send(Payload.At(sent++, Piece));
            Check.That(end.Transport.WriteBufferSize <= Limit);
            if (sent % 16 == 0) await stage.NextPassAsync();
        }

        await stage.SettleAsync();
        Check.That(end.Protocol.Errors.All(static error => error is WriteBufferLimitException { Limit: Limit }));
        Check.That(!end.Transport.IsClosing);
        await stage.UntilAsync(() =>
        {
            receiver.Take();
            return end.Transport.WriteBufferSize == 0;
        });
        await stage.SettleAsync();
        receiver.Take();
        VerifyOrder(receiver, receiver.Received.Count);
        Check.That(receiver.Received.Count < sent);

        end.Send("goes on"u8);
        await stage.SettleAsync();
        receiver.Take();
        Check.Bytes("goes on"u8, receiver.Received[^1]);
    }

    [Check("UDP-050", Needs = CheckNeeds.DatagramRoom)]
    public static async Task What_waits_takes_at_most_twice_the_limit_whatever_its_size_and_an_abort_gives_it_back(KernelStage stage)
    {
        const int Limit = 300_000;
        const int Slack = 64 * 1024 + 2 * 4096;
        var memory = stage.Loop.Core.Segments;
        foreach (var size in (int[])[0, 1, 600, 2100, 5000, 34_000])
        {
            var before = memory.Held;
            var receiver = stage.Datagrams.CreateStuckReceiver();
            var end = await stage.Datagrams.ConnectAsync(receiver.Address, new DatagramOptions { MaxWriteBufferSize = Limit });
            for (var sent = 0; end.Protocol.Errors.Count == 0; sent++)
            {
                Check.That(sent < Most);
                end.Send(new byte[size]);
                if (sent % 256 == 0) await stage.NextPassAsync();
            }

            Check.That(memory.Held - before <= 2 * Limit + Slack, $"datagrams of {size} bytes hold {memory.Held - before} at a limit of {Limit}");
            Check.That(end.Protocol.Errors.All(static error => error is WriteBufferLimitException));
            end.Transport.Abort();
            await end.Protocol.Lost;
            Check.Equal(before, memory.Held);
        }
    }

    [Check("BUG-068", Needs = CheckNeeds.DatagramRoom)]
    public static async Task A_datagram_that_just_fits_under_the_hard_limit_is_kept(KernelStage stage)
    {
        const int Waiting = 20;
        const int Small = 42;
        var free = await stage.Datagrams.ConnectAsync(stage.Datagrams.CreateStuckReceiver().Address);
        await FillToAsync(free, static _ => true);
        var size = free.Transport.WriteBufferSize;
        var limit = size / (Small + 8) * (Small + 64);

        var bound = await stage.Datagrams.ConnectAsync(stage.Datagrams.CreateStuckReceiver().Address, new DatagramOptions { MaxWriteBufferSize = limit });
        await FillToAsync(bound, static end => end.Protocol.Errors.Count == 0);
        Check.Equal(size, bound.Transport.WriteBufferSize);
        bound.Send([]);
        await bound.Protocol.WaitForErrorsAsync(1);
        Check.That(bound.Protocol.Errors is [WriteBufferLimitException]);
        Check.Equal(size, bound.Transport.WriteBufferSize);
        free.Transport.Abort();
        bound.Transport.Abort();

        // One at a time, until the kernel has no room and as many wait as are meant.
        async Task FillToAsync(DatagramEnd end, Func<DatagramEnd, bool> isRight)
        {
            for (var (sent, waiting) = (0, 0); waiting < Waiting;)
            {
                Check.That(++sent < Most);
                end.Send(new byte[Small]);
                await stage.SettleAsync();
                if (end.Transport.WriteBufferSize > 0) waiting++;
                Check.That(isRight(end), $"the datagram that was number {waiting} to wait was refused");
            }
        }
    }

    [Check("UDP-022", "BUG-072", Needs = CheckNeeds.DatagramRoom)]
    public static async Task Close_sends_what_waits_and_then_tells_the_loss(KernelStage stage)
    {
        var receiver = stage.Datagrams.CreateStuckReceiver();
        var end = await stage.Datagrams.ConnectAsync(receiver.Address);
        var sent = await FillAsync(stage, end, receiver, isConnected: true, 100);
        end.Transport.Close();
        await stage.SettleAsync();
        Check.That(end.Transport.IsClosing && !end.Protocol.Lost.IsCompleted);
        Check.That(end.Transport.WriteBufferSize > 0);
        var before = end.Protocol.Trace.Count;

        await stage.UntilAsync(() =>
        {
            receiver.Take();
            return end.Protocol.Lost.IsCompleted;
        });
        await stage.SettleAsync();
        receiver.Take();
        VerifyOrder(receiver, sent);
        Check.Trace(end.Protocol.Trace.Skip(before).ToArray(), "ConnectionLost(null)");
        Check.Equal(0, end.Transport.WriteBufferSize);
    }

    [Check("UDP-022", Needs = CheckNeeds.DatagramRoom)]
    public static async Task Abort_drops_what_waits(KernelStage stage)
    {
        foreach (var closesFirst in (bool[])[false, true])
        {
            var receiver = stage.Datagrams.CreateStuckReceiver();
            var end = await stage.Datagrams.ConnectAsync(receiver.Address);
            var sent = await FillAsync(stage, end, receiver, isConnected: true, 100);
            if (closesFirst) end.Transport.Close();
            end.Transport.Abort();
            Check.Equal(0, end.Transport.WriteBufferSize);
            Check.That(await end.Protocol.Lost is null);
            receiver.Take();
            await stage.SettleAsync();
            receiver.Take();
            Check.That(receiver.Received.Count < sent);
            VerifyOrder(receiver, receiver.Received.Count);
        }
    }

    [Check("BUG-071", "UDP-011", Needs = CheckNeeds.DatagramRoom | CheckNeeds.Faults)]
    public static async Task A_send_that_fails_while_writing_is_paused_is_told_and_writing_resumes(KernelStage stage)
    {
        const int NotPermitted = 1;
        const int NoBufferSpace = 105;
        foreach (var errno in (int[])[NotPermitted, NoBufferSpace])
        {
            for (var failures = 1; failures <= 5; failures++)
            {
                var receiver = stage.Datagrams.CreateStuckReceiver();
                var end = await stage.Datagrams.ConnectAsync(receiver.Address);
                end.Transport.SetWriteBufferLimits(high: 3000, low: 0);
                var sent = 0;
                while (!end.Protocol.IsWritingPaused)
                {
                    Check.That(sent < Most);
                    end.Send(Payload.At(sent++, Piece));
                }

                for (var i = 0; i < failures; i++) stage.Faults!.FailNextSend(errno);
                await stage.UntilAsync(() =>
                {
                    receiver.Take();
                    return end.Transport.WriteBufferSize == 0;
                });
                await stage.SettleAsync();
                receiver.Take();
                var refused = end.Protocol.Errors.Count;
                Check.That(refused >= 1 && refused <= failures, $"{refused} of {failures} refusals were told");
                Check.Equal(sent - refused, receiver.Received.Count);
                Check.That(!end.Protocol.IsWritingPaused, "writing was never resumed");
                stage.Faults!.Clear();
                end.Transport.Abort();
            }
        }
    }

    [Check("BUG-070", Needs = CheckNeeds.DatagramRoom)]
    public static async Task A_protocol_that_fills_the_gap_at_each_resume_loses_nothing(KernelStage stage)
    {
        var receiver = stage.Datagrams.CreateStuckReceiver();
        var end = await stage.Datagrams.ConnectAsync(receiver.Address);
        end.Transport.SetWriteBufferLimits(high: 4000, low: 1000);
        var sent = 0;
        Fill();
        end.Protocol.OnResume = () =>
        {
            if (sent < 200) Fill();
        };
        await DrainAsync(stage, end, receiver, () => sent);
        Check.That(sent >= 200 || stage.IsTcp);
        VerifyOrder(receiver, sent);

        void Fill()
        {
            for (var i = 0; i < 40; i++) end.Send(Payload.At(sent++, Piece));
        }
    }

    /// <summary>Sends pieces of the pattern until some wait, and so many more.</summary>
    private static async Task<int> FillAsync(KernelStage stage, DatagramEnd end, StuckReceiver receiver, bool isConnected, int more)
    {
        var sent = 0;
        while (end.Transport.WriteBufferSize == 0)
        {
            Check.That(sent < Most);
            await SendAsync();
            await stage.SettleAsync();
        }

        for (; more > 0; more--) await SendAsync();
        await stage.SettleAsync();
        return sent;

        Task SendAsync()
        {
            end.Transport.SendTo(Payload.At(sent++, Piece), isConnected ? null : receiver.Address);
            return Task.CompletedTask;
        }
    }

    private static Task DrainAsync(KernelStage stage, DatagramEnd end, StuckReceiver receiver, int sent) => DrainAsync(stage, end, receiver, () => sent);

    private static Task DrainAsync(KernelStage stage, DatagramEnd end, StuckReceiver receiver, Func<int> sent) => stage.UntilAsync(() =>
    {
        receiver.Take();
        return end.Transport.WriteBufferSize == 0 && receiver.Received.Count == sent();
    });

    private static void VerifyOrder(StuckReceiver receiver, int count)
    {
        Check.Equal(count, receiver.Received.Count);
        for (var i = 0; i < count; i++) Check.Bytes(Payload.At(i, Piece), receiver.Received[i]);
    }
}
