namespace Sluice.Testing;

/// <summary>What becomes of a packet: the answer of a rule (<see cref="Simulation.AddRule"/>). The default value lets it pass.</summary>
public readonly record struct Verdict
{
    internal enum Fate : byte
    {
        Pass,
        Delay,
        Drop,
        Reset,
    }

    /// <summary>The next rule is asked; where none objects, the packet travels as the link says.</summary>
    public static Verdict Pass => default;

    /// <summary>
    /// The packet is lost. The simulated kernel sends data, ends of streams and connects again, ever less often, until they come through or the
    /// connection fails with ETIMEDOUT; a lost reset or datagram stays lost.
    /// </summary>
    public static Verdict Drop { get; } = new() { Outcome = Fate.Drop };

    /// <summary>
    /// The packet is lost and its sender's connection reset, as by a box in between. The other end hears nothing until it sends. A connect is refused, and a datagram where its sender is connected.
    /// </summary>
    public static Verdict Reset { get; } = new() { Outcome = Fate.Reset };

    internal Fate Outcome { get; private init; }

    internal TimeSpan Delay { get; private init; }

    /// <summary>The packet travels that much longer than the link says, and what the sender's connection sends behind it waits for it; datagrams overtake each other.</summary>
    /// <param name="delay">How much; zero is no delay, but a decision all the same.</param>
    public static Verdict DeliverAfter(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return new Verdict { Outcome = Fate.Delay, Delay = delay };
    }

    /// <inheritdoc/>
    public override string ToString() => Outcome == Fate.Delay ? $"deliver after {Delay}" : Outcome.ToString();
}
