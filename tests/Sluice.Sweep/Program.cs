using Sluice.Sweep.Running;
using Xunit.MicrosoftTestingPlatform;

namespace Sluice.Sweep;

/// <summary>One program with two faces: with <c>sweep</c> as its first argument it runs seeds, otherwise its tests.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments) => arguments is ["sweep", .. var rest]
        ? SweepCommand.Run(rest)
        : await TestPlatformTestFramework.RunAsync(arguments, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
}
