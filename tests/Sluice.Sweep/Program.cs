using Sluice.Sweep.Breaks;
using Sluice.Sweep.Running;
using Xunit.MicrosoftTestingPlatform;

namespace Sluice.Sweep;

/// <summary>One program with three faces: with <c>sweep</c> as its first argument it runs seeds, with <c>breaks</c> it plants breaks, otherwise it runs its tests.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments) => arguments switch
    {
        ["sweep", .. var rest] => SweepCommand.Run(rest),
        ["breaks", .. var rest] => BreakCommand.Run(rest),
        _ => await TestPlatformTestFramework.RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
    };
}
