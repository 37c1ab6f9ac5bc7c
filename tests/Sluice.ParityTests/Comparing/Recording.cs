using System.Text.Json;
using System.Text.RegularExpressions;
using Sluice.ParityTests.Playing;

namespace Sluice.ParityTests.Comparing;

/// <summary>What asyncio_driver.py recorded with one Python: the traces by scenario. Immutable.</summary>
internal sealed partial class Recording
{
    private static readonly Lazy<IReadOnlyList<Recording>> AllCommitted = new(static () => [.. CommittedPaths.Select(static path => new Recording(File.ReadAllText(path)))]);

    private readonly Dictionary<string, Traces> _traces = [];

    public Recording(string json)
    {
        var root = JsonDocument.Parse(json).RootElement;
        Python = root.GetProperty("python").GetString()!;
        FullVersion = Version.Parse(LeadingVersion.Match(Python).Value);
        foreach (var group in root.EnumerateObject().Where(static group => group.Value.ValueKind == JsonValueKind.Object))
        {
            Hashes[group.Name] = group.Value.GetProperty("sha256").GetString()!;
            foreach (var scenario in group.Value.GetProperty("traces").EnumerateObject()) _traces.Add(scenario.Name, Read(scenario.Value));
        }
    }

    [GeneratedRegex(@"^\d+\.\d+\.\d+")]
    private static partial Regex LeadingVersion { get; }

    /// <summary>The recordings of the repository, oldest version first.</summary>
    public static IReadOnlyList<Recording> Committed => AllCommitted.Value;

    /// <summary>The sys.version that made it.</summary>
    public string Python { get; }

    public Version FullVersion { get; }

    /// <summary>Such as 3.13: what differences name.</summary>
    public Version MinorVersion => new(FullVersion.Major, FullVersion.Minor);

    /// <summary>The hashes of the scenario files that it is of, by file name.</summary>
    public Dictionary<string, string> Hashes { get; } = [];

    public IEnumerable<string> Scenarios => _traces.Keys;

    public Traces Of(string scenario) => _traces[scenario];

    public bool Has(string scenario) => _traces.ContainsKey(scenario);

    public override string ToString() => $"CPython {FullVersion}";

    private static IEnumerable<string> CommittedPaths => Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Traces"), "*.json").Order(StringComparer.Ordinal);

    private static Traces Read(JsonElement actors) => new(actors.EnumerateObject()
        .ToDictionary(static actor => actor.Name, static actor => (IReadOnlyList<string>)[.. actor.Value.EnumerateArray().Select(static entry => entry.GetString()!)]));
}
