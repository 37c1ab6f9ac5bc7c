namespace Sluice.Tests.Shared;

/// <summary>A program of the system that a test talks to. Without it the test is skipped, or fails where SLUICE_REQUIRE_PEERS is 1.</summary>
internal static class Peer
{
    /// <summary>The path of the program.</summary>
    public static string Find(string command)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
        if (path is not null) return path;
        if (Environment.GetEnvironmentVariable("SLUICE_REQUIRE_PEERS") == "1") Assert.Fail($"{command} is not installed");
        Assert.Skip($"{command} is not installed");
        return "";
    }
}
