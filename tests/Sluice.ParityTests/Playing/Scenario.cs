using System.Text.Json;

namespace Sluice.ParityTests.Playing;

/// <summary>One scenario as its file has it: who does what in which callback, and the steps of the program around. Immutable.</summary>
public sealed class Scenario(JsonElement content)
{
    private static readonly JsonElement Nothing = Json("{}");
    private static readonly JsonElement OneConnection = Json("""["serve", {"connect": "client"}, {"wait": "client lost"}, {"wait": "server lost"}]""");
    private static readonly JsonElement OnePipe = Json("""[{"pipe": ["client", "server"]}, {"wait": "client lost"}, {"wait": "server lost"}]""");
    private static readonly JsonElement OnePair = Json("""[{"pair": ["client", "server"]}, {"wait": "client lost"}, {"wait": "server lost"}]""");

    public string Name => content.GetProperty("name").GetString()!;

    /// <summary>Rows of the catalogue that it holds.</summary>
    public IEnumerable<string> Cases => content.TryGetProperty("cases", out var cases) ? cases.EnumerateArray().Select(static id => id.GetString()!) : [];

    /// <summary>The first version of Python that has what it uses.</summary>
    public Version Since => Version.Parse(Word("since", "3.0"));

    public bool IsUnix => Word("over", "tcp") == "unix";

    /// <summary>Where what it shows does not depend on chance.</summary>
    public ScenarioKernels Kernels => Enum.Parse<ScenarioKernels>(Word("kernels", "any"), ignoreCase: true);

    public IEnumerable<JsonElement> Script =>
        (content.TryGetProperty("script", out var script) ? script : ScriptOver(Word("over", "tcp"))).EnumerateArray();

    /// <summary>What an actor does. The second connection of a server is "server2", with the server's own orders unless it has others.</summary>
    public JsonElement OrdersOf(string actor) => Find(actor) ?? Find(actor.TrimEnd("0123456789".ToCharArray())) ?? Nothing;

    /// <summary>An action or a step is a word, or a word with what it acts on.</summary>
    public static (string Word, JsonElement Value) CallOf(JsonElement call)
    {
        if (call.ValueKind == JsonValueKind.String) return (call.GetString()!, default);
        var only = call.EnumerateObject().Single();
        return (only.Name, only.Value);
    }

    public override string ToString() => Name;

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    private static JsonElement ScriptOver(string medium) => medium switch
    {
        "pair" => OnePair,
        "pipe" => OnePipe,
        _ => OneConnection,
    };

    private JsonElement? Find(string actor)
    {
        if (actor is "client" or "server" && content.TryGetProperty(actor, out var orders)) return orders;
        return content.TryGetProperty("others", out var others) && others.TryGetProperty(actor, out orders) ? orders : null;
    }

    private string Word(string name, string otherwise) => content.TryGetProperty(name, out var value) ? value.GetString()! : otherwise;
}
