using System.Globalization;

namespace Sluice.Sweep.Running;

/// <summary>The command line: <c>sweep COUNT [FIRST]</c>, or <c>sweep --seed N [--trace]</c>. Exit code 1 on a broken invariant.</summary>
internal static class SweepCommand
{
    public static int Run(string[] arguments) => arguments switch
    {
        ["--seed", var seed] => Replay(Number(seed), keepsTrace: false),
        ["--seed", var seed, "--trace"] => Replay(Number(seed), keepsTrace: true),
        [var count] => Sweep(Number(count), first: 1),
        [var count, var first] => Sweep(Number(count), Number(first)),
        _ => Usage(),
    };

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static int Sweep(int count, int first)
    {
        var run = SweepRun.Of(first, count);
        foreach (var failure in run.Failures) Console.WriteLine(failure);
        Console.WriteLine(run.Tally);
        Console.WriteLine(run);
        return run.Failures.Count == 0 ? 0 : 1;
    }

    private static int Replay(int seed, bool keepsTrace)
    {
        var verdict = SeedRun.Of(seed, keepsTrace);
        Console.WriteLine(verdict);
        return verdict.Broken is null ? 0 : 1;
    }

    private static int Usage()
    {
        Console.Error.WriteLine("sweep COUNT [FIRST_SEED] | sweep --seed N [--trace]");
        return 2;
    }
}
