using System.Runtime.ExceptionServices;

namespace Sluice.Testing.Kernel.Links;

/// <summary>The rules that packets pass, in the order in which they were added. Owned by the network.</summary>
internal sealed class RuleSet(SimulationOptions options)
{
    // Replaced and never changed: a rule may add or remove rules.
    private Rule[] _rules = [];

    public bool IsEmpty => _rules.Length == 0;

    /// <summary>The names that rules were given, those that are ignored included.</summary>
    public List<string> Names { get; } = [];

    /// <summary>What a rule has thrown and nobody has heard of yet.</summary>
    public ExceptionDispatchInfo? Failure { get; set; }

    public IDisposable Add(Func<PacketInfo, Verdict> judge, string? name)
    {
        if (name is not null && !Names.Contains(name)) Names.Add(name);
        var rule = new Rule(this, judge);
        if (name is null || !options.IgnoredRules.Contains(name)) _rules = [.. _rules, rule];
        return rule;
    }

    /// <summary>The first rule that does not let it pass decides.</summary>
    public Verdict Judge(in PacketInfo packet)
    {
        foreach (var rule in _rules)
        {
            var verdict = Ask(rule, packet);
            if (verdict != Verdict.Pass) return verdict;
        }

        return Verdict.Pass;
    }

    // It is called in the midst of a kernel, where nobody could take an exception.
    private Verdict Ask(Rule rule, in PacketInfo packet)
    {
        try
        {
            return rule.Judge(packet);
        }
        catch (Exception exception)
        {
            Failure ??= ExceptionDispatchInfo.Capture(exception);
            return Verdict.Pass;
        }
    }

    private sealed class Rule(RuleSet rules, Func<PacketInfo, Verdict> judge) : IDisposable
    {
        public Func<PacketInfo, Verdict> Judge => judge;

        public void Dispose() => rules._rules = [.. rules._rules.Where(rule => rule != this)];
    }
}
