using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Loops;

/// <summary>Ambient values (AsyncLocal) of callbacks: those of the call that made them, and never a neighbour's.</summary>
public sealed class ContextTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Theory, EveryKernel, Case("CTX-001", "CTX-003")]
    public void A_connection_s_callbacks_run_in_the_context_of_the_call_that_created_it(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var seen = new List<string>();
        var client = Note(seen, new RecordingProtocol());
        var server = new RecordingProtocol { OnMade = static transport => transport.PauseReading() };
        Ambient.Value = "creator";
        var (transport, peer) = await kernel.ConnectAsync(loop, client, server);

        Ambient.Value = "writer";
        transport.Write(new byte[kernel.MoreThanItHolds()]);
        Assert.Equal("writer", Ambient.Value);
        peer.ResumeReading();
        await server.WaitForBytesAsync(kernel.MoreThanItHolds());
        peer.Write("data"u8);
        peer.WriteEof();
        await client.WaitForEofAsync();
        transport.Close();
        Assert.Equal("writer", Ambient.Value);
        await client.Lost;

        Assert.Equal(
            ["made creator", "pause creator", "resume creator", "data creator", "eof creator", "lost creator"],
            seen.Distinct());
    });

    [Theory, EveryKernel, Case("CTX-001")]
    public void A_buffered_protocol_is_asked_in_the_context_of_its_creator(LoopKernel kernel) => kernel.Run(async loop =>
    {
        Ambient.Value = "creator";
        var client = new AskedProtocol();
        var (_, peer) = await kernel.ConnectAsync(loop, client, new RecordingProtocol());
        Ambient.Value = "other";
        peer.Write("data"u8);

        await client.Updated.Task;
        Assert.Equal(["GetBuffer creator", "BufferUpdated creator"], client.Seen);
    });

    [Theory, EveryKernel, Case("CTX-002", "CTX-003")]
    public void A_server_s_factory_and_connections_run_in_the_context_of_the_call_that_created_it(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var seen = new List<string>();
        var accepted = new RecordingProtocol();
        Ambient.Value = "server";
        var server = await loop.CreateServerAsync(
            () =>
            {
                seen.Add($"factory {Ambient.Value}");
                return Note(seen, accepted);
            },
            kernel.CreateAddress());

        Ambient.Value = "client";
        var (transport, _) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        transport.Write("data"u8);
        transport.WriteEof();
        await accepted.WaitForEofAsync();
        accepted.Transport.Close();
        await accepted.Lost;

        Assert.Equal(["factory server", "made server", "data server", "eof server", "lost server"], seen);
    });

    [Theory, EveryKernel, Case("CTX-005")]
    public void Queued_callbacks_run_in_the_context_of_the_call(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var seen = new List<string>();
        Ambient.Value = "soon";
        loop.CallSoon(() => seen.Add($"soon {Ambient.Value}"));
        Ambient.Value = "thread-safe";
        loop.CallSoonThreadSafe(() => seen.Add($"thread-safe {Ambient.Value}"));
        Ambient.Value = "invoke";
        var invoked = loop.InvokeAsync(() =>
        {
            seen.Add($"invoke {Ambient.Value}");
            return Task.CompletedTask;
        });
        Ambient.Value = "later";
        loop.CallLater(TimeSpan.Zero, () => seen.Add($"later {Ambient.Value}"));
        Ambient.Value = "at";
        loop.CallAt(loop.Time, () => seen.Add($"at {Ambient.Value}"));
        Ambient.Value = "provider";
        using var timer = loop.TimeProvider.CreateTimer(_ => seen.Add($"provider {Ambient.Value}"), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        Ambient.Value = "main";

        await invoked;
        await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
        Assert.Equal(["soon soon", "thread-safe thread-safe", "invoke invoke", "later later", "at at", "provider provider"], seen);
        Assert.Equal("main", Ambient.Value);
    });

    [Theory, EveryKernel, Case("CTX-005")]
    public void A_suppressed_flow_gives_the_default_context(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var seen = new List<string?>();
        Ambient.Value = "main";
        using (ExecutionContext.SuppressFlow())
        {
            loop.CallSoon(() => seen.Add(Ambient.Value));
            loop.CallLater(TimeSpan.Zero, () => seen.Add(Ambient.Value));
        }

        await Task.Yield();
        await Task.Yield();
        Assert.Equal([null, null], seen);
    });

    [Theory, EveryKernel, Case("CTX-005")]
    public void What_a_callback_sets_does_not_reach_the_next_one(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var seen = new List<string?>();
        void Leak(object? _)
        {
            seen.Add(Ambient.Value);
            Ambient.Value = "leaked";
        }

        var context = SynchronizationContext.Current!;
        using (ExecutionContext.SuppressFlow())
        {
            loop.CallSoon(Leak, null);
            context.Post(Leak, null);
            loop.CallSoon(Leak, null);
            loop.CallLater(TimeSpan.Zero, Leak, null);
            loop.CallLater(TimeSpan.Zero, Leak, null);
        }

        await Task.Yield();
        await Task.Yield();
        context.Post(Leak, null);
        await Task.Yield();
        Assert.Equal(new string?[6], seen);
    });

    [Theory, EveryKernel, Case("RUN-009")]
    public void A_run_sees_the_caller_s_values_and_leaves_them_alone(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        foreach (var name in new[] { "first", "second" })
        {
            Ambient.Value = name;
            loop.RunUntilComplete(() =>
            {
                Assert.Equal(name, Ambient.Value);
                Ambient.Value = "inside";
                return Task.CompletedTask;
            });
            Assert.Equal(name, Ambient.Value);
        }
    }

    [Theory, EveryKernel]
    public void A_run_leaves_a_suppressed_flow_suppressed(LoopKernel kernel)
    {
        Ambient.Value = "caller";
        using (ExecutionContext.SuppressFlow())
        {
            kernel.Run(static _ =>
            {
                Assert.Null(Ambient.Value);
                return Task.CompletedTask;
            });
            Assert.True(ExecutionContext.IsFlowSuppressed());
        }

        Assert.Equal("caller", Ambient.Value);
    }

    private static RecordingProtocol Note(List<string> seen, RecordingProtocol protocol)
    {
        protocol.OnMade = _ => seen.Add($"made {Ambient.Value}");
        protocol.OnData = _ => seen.Add($"data {Ambient.Value}");
        protocol.OnPause = () => seen.Add($"pause {Ambient.Value}");
        protocol.OnResume = () => seen.Add($"resume {Ambient.Value}");
        protocol.OnLost = _ => seen.Add($"lost {Ambient.Value}");
        protocol.OnEof = () =>
        {
            seen.Add($"eof {Ambient.Value}");
            return true;
        };
        return protocol;
    }

    private sealed class AskedProtocol : BufferedProtocol
    {
        public List<string> Seen { get; } = [];

        public TaskCompletionSource Updated { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Memory<byte> GetBuffer(int sizeHint)
        {
            Note("GetBuffer");
            return new byte[64];
        }

        public override void BufferUpdated(int count)
        {
            Note("BufferUpdated");
            Updated.TrySetResult();
        }

        private void Note(string callback)
        {
            var entry = $"{callback} {Ambient.Value}";
            if (!Seen.Contains(entry)) Seen.Add(entry);
        }
    }
}
