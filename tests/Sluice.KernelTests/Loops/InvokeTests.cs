using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>InvokeAsync: async functions run on the loop for callers anywhere.</summary>
public sealed class InvokeTests
{
    [Theory, EveryKernel]
    public void Results_and_exceptions_come_back_to_a_caller_on_the_loop(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var result = await loop.InvokeAsync(async () =>
        {
            await Task.Yield();
            return EventLoop.Current;
        });
        Assert.Same(loop, result);
        await loop.InvokeAsync(static () => Task.CompletedTask);

        var mistake = new FormatException();
        Assert.Same(mistake, await Assert.ThrowsAsync<FormatException>(() => loop.InvokeAsync(() => throw mistake)));
        Assert.Same(mistake, await Assert.ThrowsAsync<FormatException>(() => loop.InvokeAsync(() => Task.FromException<int>(mistake))));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => loop.InvokeAsync(static () => Task.FromCanceled(new CancellationToken(true))));
    });

    [Theory, EveryKernel]
    public void The_function_is_called_in_a_turn_of_its_own(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<string>();
        loop.CallSoon(() => order.Add("queued before"));
        var invoked = loop.InvokeAsync(() =>
        {
            order.Add("invoked");
            return Task.CompletedTask;
        });
        order.Add("returned");

        await invoked;
        Assert.Equal(["returned", "queued before", "invoked"], order);
    });

    [Theory, EveryKernel, Case("FLOW-022")]
    public void A_caller_hears_of_the_end_only_after_what_was_written_has_been_handed_to_the_kernel(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var server = await loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), kernel.CreateAddress());
        var (transport, _) = await loop.CreateConnectionAsync(static () => new Testing.RecordingProtocol(), server.EndPoints[0]);
        var seen = new List<(bool IsDone, int Size)>();
        var invoked = loop.InvokeAsync(static transport =>
        {
            transport.Write("written"u8);
            return Task.CompletedTask;
        }, transport);
        var withResult = loop.InvokeAsync(static state => Task.FromResult(state.Number + 1), (Number: 41, Transport: transport));
        // In the same pass: the function has run, and nothing has left yet.
        loop.CallSoon(() => seen.Add((invoked.IsCompleted || withResult.IsCompleted, transport.WriteBufferSize)));

        await invoked;

        Assert.Equal([(false, 7)], seen);
        Assert.Equal(0, transport.WriteBufferSize);
        Assert.Equal(42, await withResult);
    });

    [Theory, EveryKernel]
    public void A_function_that_returns_no_task_fails(LoopKernel kernel) => kernel.Run(async loop =>
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => loop.InvokeAsync<int>(static () => null!));
        Action withNothing = () => loop.InvokeAsync((Func<Task>)null!);
        Assert.Throws<ArgumentNullException>(withNothing);
        await Assert.ThrowsAsync<InvalidOperationException>(() => loop.InvokeAsync((Func<int, Task>)(static _ => null!), 1));
        await Assert.ThrowsAsync<FormatException>(() => loop.InvokeAsync((Func<FormatException, Task<int>>)(static mistake => throw mistake), new FormatException()));
    });

    [Fact]
    public async Task A_caller_on_another_thread_gets_results_and_exceptions()
    {
        await using var loop = EventLoop.Start();

        Assert.Same(loop, await loop.InvokeAsync(static async () =>
        {
            await Task.Yield();
            return EventLoop.Current;
        }));
        await Assert.ThrowsAsync<FormatException>(() => loop.InvokeAsync(static () => throw new FormatException()));
    }

    [Theory, EveryKernel, Case("RUN-005")]
    public void A_function_that_fails_after_the_loop_s_end_has_cancelled_it_is_reported(LoopKernel kernel)
    {
        var reports = new List<ExceptionContext>();
        var mistake = new FormatException();
        Task? invoked = null;
        using (var loop = kernel.CreateLoop())
        {
            loop.ExceptionHandler = (_, context) => reports.Add(context);
            var released = loop.CreateFuture();
            async Task ReleaseAsync()
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => invoked!);
                released.SetResult();
            }

            var result = loop.RunUntilComplete(async () =>
            {
                invoked = loop.InvokeAsync(async () =>
                {
                    await released.Task;
                    throw mistake;
                });
                _ = ReleaseAsync();
                await Task.Yield();
                return 7;
            });
            Assert.Equal(7, result);
        }

        Assert.True(invoked!.IsCanceled);
        var report = Assert.Single(reports);
        Assert.Same(mistake, report.Exception);
        Assert.True(report.Task is { IsFaulted: true });
    }
}
