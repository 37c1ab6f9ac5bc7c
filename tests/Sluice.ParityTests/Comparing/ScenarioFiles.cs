using System.Security.Cryptography;
using System.Text.Json;
using Sluice.ParityTests.Playing;

namespace Sluice.ParityTests.Comparing;

/// <summary>The committed scenarios.</summary>
internal static class ScenarioFiles
{
    private static readonly Lazy<Dictionary<string, Scenario>> ByName = new(Load);

    public static IEnumerable<Scenario> All => ByName.Value.Values;

    public static IEnumerable<string> Paths => Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Scenarios"), "*.json").Order(StringComparer.Ordinal);

    public static Scenario Get(string name) => ByName.Value[name];

    /// <summary>The hash by which a recording says which scenarios it is of.</summary>
    public static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));

    // A name that occurs twice is an exception here: every test fails.
    private static Dictionary<string, Scenario> Load() => Paths
        .SelectMany(static path => JsonDocument.Parse(File.ReadAllText(path)).RootElement.EnumerateArray())
        .Select(static content => new Scenario(content))
        .ToDictionary(static scenario => scenario.Name);
}
