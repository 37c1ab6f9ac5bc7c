using System.Diagnostics;
using Sluice.KernelTests.Backends;
using Sluice.KernelTests.Transports.Kit;

namespace Sluice.KernelTests.Transports;

/// <summary>
/// Many short connections leave descriptors, threads and memory where they were. Counted for the whole process, hence alone.
/// SLUICE_SOAK_CONNECTIONS asks for more of them, and for a report.
/// </summary>
[Collection(nameof(CostTests))]
public sealed class ChurnTests
{
    private const int Slices = 10;

    /// <summary>What the runtime may come to need besides: compiled code, larger queues of its own.</summary>
    private const long HeapSlack = 256 * 1024;

    private const long ResidentSlack = 16 * 1024 * 1024;

    /// <summary>What a connection may leave in resident memory: less than any object or any structure of the C library.</summary>
    private const int ResidentPerConnection = 8;

    private static readonly string? Asked = Environment.GetEnvironmentVariable("SLUICE_SOAK_CONNECTIONS");

    private static int Connections => int.TryParse(Asked, out var count) ? count : 2_000;

    [Fact, Case("BUG-039", "BUG-043", "BUG-045")]
    public async Task Short_connections_of_every_kind_leave_nothing_behind()
    {
        var limit = TimeSpan.FromSeconds(60 + Connections / 500);
        await using var churn = await Churn.StartAsync();
        await churn.RunAsync(Math.Max(1_000, Connections / 50)).WaitAsync(limit);
        var before = Footprint.Take();
        Report($"after the warm-up: {before}");

        var watch = Stopwatch.StartNew();
        for (var slice = 1; slice <= Slices; slice++)
        {
            await churn.RunAsync(Connections / Slices).WaitAsync(limit);
            if (Asked is not null) Report($"{watch.Elapsed.TotalSeconds,6:F1} s, {(long)Connections * slice / Slices,9:N0} connections: {Footprint.Take()}");
        }

        await churn.VerifyAsync();
        var after = Footprint.Take();
        Assert.Equal(before.Descriptors, after.Descriptors);
        Assert.Equal(before.Threads, after.Threads);
        Assert.InRange(after.Heap - before.Heap, long.MinValue, HeapSlack);
        Assert.InRange(after.Resident - before.Resident, long.MinValue, ResidentSlack + (long)Connections * ResidentPerConnection);
    }

    private static void Report(FormattableString line)
    {
        if (Asked is not null) Console.WriteLine(FormattableString.Invariant(line));
    }
}
