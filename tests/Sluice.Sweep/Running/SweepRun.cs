using System.Diagnostics;

namespace Sluice.Sweep.Running;

/// <summary>Many seeds on a few threads, and what came of them.</summary>
/// <param name="Seeds">How many were run.</param>
/// <param name="Events">Callbacks and kernel events of all.</param>
/// <param name="Failures">The broken ones, at most a few: the run stops early.</param>
/// <param name="Tally">What happened how often.</param>
/// <param name="Time">How long it took.</param>
/// <param name="ProcessorTime">What it cost, over all threads.</param>
internal sealed record SweepRun(int Seeds, long Events, IReadOnlyList<Verdict> Failures, Tally Tally, TimeSpan Time, TimeSpan ProcessorTime)
{
    private const int MostFailures = 5;

    /// <summary>Runs seeds from <paramref name="first"/> on.</summary>
    public static SweepRun Of(int first, int count, int workers = 2)
    {
        var failures = new List<Verdict>();
        var next = first - 1;
        var done = 0;
        var tally = new Tally();
        var events = 0L;
        var clock = Stopwatch.StartNew();
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var threads = Enumerable.Range(0, workers).Select(_ => new Thread(Work)).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        failures.Sort((a, b) => a.Seed.CompareTo(b.Seed));
        return new SweepRun(done, events, failures, tally, clock.Elapsed, Process.GetCurrentProcess().TotalProcessorTime - processor);

        void Work()
        {
            var spares = new SegmentSpares();
            var own = new Tally();
            for (int seed; (seed = Interlocked.Increment(ref next)) < first + count;)
            {
                var verdict = SeedRun.Of(seed, spares: spares, tally: own);
                Interlocked.Increment(ref done);
                Interlocked.Add(ref events, verdict.Events);
                if (verdict.Broken is null) continue;
                lock (failures)
                {
                    failures.Add(verdict);
                    if (failures.Count >= MostFailures) Interlocked.Exchange(ref next, first + count);
                }
            }

            lock (failures) tally.Add(own);
        }
    }

    public override string ToString() =>
        $"{Seeds} seeds, {Events} events ({Events / Math.Max(Seeds, 1)} per seed) in {Time.TotalSeconds:F1} s: " +
        $"{Seeds / Time.TotalSeconds:F0} seeds/s, {Events / Time.TotalSeconds:F0} events/s, " +
        $"{ProcessorTime.TotalMilliseconds * 1000 / Math.Max(Seeds, 1):F0} us of processor per seed, " +
        $"peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / (1024 * 1024)} MiB, {Failures.Count} failures";
}
