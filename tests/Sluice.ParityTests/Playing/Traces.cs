namespace Sluice.ParityTests.Playing;

/// <summary>What each actor of a play saw and did. Actors without an entry are left out. Immutable.</summary>
public sealed class Traces(IReadOnlyDictionary<string, IReadOnlyList<string>> byActor)
{
    public IEnumerable<string> Actors => byActor.Keys;

    public IReadOnlyList<string> Of(string actor) => byActor.GetValueOrDefault(actor, []);

    public bool SameAs(Traces other) => Actors.Union(other.Actors).All(actor => Of(actor).SequenceEqual(other.Of(actor)));

    /// <summary>With one actor's trace exchanged.</summary>
    public Traces With(string actor, IReadOnlyList<string> entries)
    {
        var changed = new Dictionary<string, IReadOnlyList<string>>(byActor) { [actor] = entries };
        if (entries.Count == 0) changed.Remove(actor);
        return new Traces(changed);
    }

    public override string ToString() => string.Join(Environment.NewLine, Actors.Order().Select(actor => $"  {actor}: {string.Join(", ", Of(actor))}"));
}
