namespace Sluice.Tests.Shared;

/// <summary>A program of the system that a test talks to. Without it the test is skipped, or fails where SLUICE_REQUIRE_PEERS is 1.</summary>
internal static class Peer
{
    /// <summary>The path of the program.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="package">The Debian package that brings it, where that has another name.</param>
    public static string Find(string command, string? package = null)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
        if (path is not null) return path;
        var reason = $"{command} is not installed: apt-get install -y {package ?? command}";
        if (Environment.GetEnvironmentVariable("SLUICE_REQUIRE_PEERS") == "1") Assert.Fail(reason);
        Assert.Skip(reason);
        return "";
    }
}
