using System.Diagnostics;
using System.Globalization;
using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>What a person sees of a run, and that the same seed shows the same.</summary>
public sealed class TraceTests
{
    private const string HashFile = "SLUICE_TRACE_HASHES";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public void The_same_seed_gives_the_same_hash_every_time()
    {
        var hashes = Enumerable.Range(0, 300).Select(HashOf).ToList();

        Assert.Equal(hashes, Enumerable.Range(0, 300).Select(HashOf));
        Assert.Equal(300, hashes.Distinct().Count());
        if (Environment.GetEnvironmentVariable(HashFile) is { Length: > 0 } path) File.WriteAllLines(path, hashes.Select(Text));
    }

    [Fact]
    public async Task A_fresh_process_gives_the_same_hashes()
    {
        var path = Path.GetTempFileName();
        string[] arguments = [typeof(TraceTests).Assembly.Location, "--filter-method", $"*.{nameof(The_same_seed_gives_the_same_hash_every_time)}", "--no-ansi"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { Environment = { [HashFile] = path }, RedirectStandardOutput = true })!;
        try
        {
            using var limit = new CancellationTokenSource(Limit);
            await process.StandardOutput.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);

            Assert.Equal(0, process.ExitCode);
            Assert.Equal(Enumerable.Range(0, 300).Select(HashOf).Select(Text), await File.ReadAllLinesAsync(path, limit.Token));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
            File.Delete(path);
        }
    }

    [Fact]
    public void The_trace_is_text_about_the_last_events()
    {
        using var world = new ClientAndServer(SimulationOptions.Faithful with { TraceLength = 5 });
        world.Connect();
        world.Simulation.AddRule(static packet => packet.Kind == PacketKind.Data ? Verdict.Drop : Verdict.Pass);
        world.Connected.Transport.Write("hello"u8);
        world.Simulation.RunFor(TimeSpan.FromMilliseconds(1));

        var trace = world.Simulation.Trace;

        Assert.Equal(5, trace.Count);
        Assert.Contains("0.0102000 10.0.0.1:32768 sends Data of 5 bytes: Drop", trace);
        world.Server.Crash();
        Assert.EndsWith("server crashes", world.Simulation.Trace[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Sockets_are_shown_as_a_table()
    {
        using var world = new ClientAndServer(SimulationOptions.Faithful with { SendBufferSize = 1_000, ReceiveBufferSize = 500 });
        world.Connect();
        world.Accepted.Transport.PauseReading();
        world.Connected.Transport.Write(new byte[1_200]);
        world.Connected.Transport.WriteEof();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(
            """
            Host    Proto  Local           Peer            State     Recv-Q  Send-Q
            client  tcp    10.0.0.1:32768  10.0.0.2:80     FIN-WAIT  0       700
            server  tcp    0.0.0.0:80      *               LISTEN    0       100
            server  tcp    10.0.0.2:80     10.0.0.1:32768  ESTAB     500     0
            """,
            world.Simulation.DescribeSockets(),
            ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void A_connect_that_is_under_way_is_in_the_table()
    {
        using var world = new ClientAndServer();
        using var partition = world.Simulation.Partition([world.Client], [world.Server]);
        world.StartConnect();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Contains("SYN-SENT", world.Simulation.DescribeSockets(), StringComparison.Ordinal);
    }

    private static string Text(ulong hash) => hash.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>A world with losses, a partition, a crash and a restart.</summary>
    private static ulong HashOf(int seed)
    {
        using var world = new ClientAndServer(SimulationOptions.Hostile, seed);
        world.StartConnect();
        world.Simulation.RunFor(TimeSpan.FromSeconds(5));
        if (world.Connected.Made.IsCompleted) world.Connected.Transport.Write(new byte[20_000]);
        using (world.Simulation.Partition([world.Client], [world.Server])) world.Simulation.RunFor(TimeSpan.FromSeconds(3));
        world.Server.Crash();
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));
        world.Server.Restart();
        world.Simulation.RunFor(TimeSpan.FromMinutes(1));
        return world.Simulation.TraceHash;
    }
}
