using System.Globalization;

namespace Sluice.Testing.Exploring;

/// <summary>Options as the C# that makes them.</summary>
internal static class OptionsText
{
    public static string Of(SimulationOptions options)
    {
        var changed = new List<string>();
        var defaults = new SimulationOptions();
        Add(nameof(options.SendBufferSize), options.SendBufferSize, defaults.SendBufferSize);
        Add(nameof(options.ReceiveBufferSize), options.ReceiveBufferSize, defaults.ReceiveBufferSize);
        Add(nameof(options.Latency), options.Latency, defaults.Latency);
        Add(nameof(options.LatencyJitter), options.LatencyJitter, defaults.LatencyJitter);
        Add(nameof(options.Bandwidth), options.Bandwidth, defaults.Bandwidth);
        Add(nameof(options.PacketLoss), options.PacketLoss, defaults.PacketLoss);
        Add(nameof(options.DatagramLoss), options.DatagramLoss, defaults.DatagramLoss);
        Add(nameof(options.DatagramDuplication), options.DatagramDuplication, defaults.DatagramDuplication);
        Add(nameof(options.DatagramReordering), options.DatagramReordering, defaults.DatagramReordering);
        Add(nameof(options.RetransmissionTimeout), options.RetransmissionTimeout, defaults.RetransmissionTimeout);
        Add(nameof(options.ShortReads), options.ShortReads, defaults.ShortReads);
        Add(nameof(options.PartialWrites), options.PartialWrites, defaults.PartialWrites);
        Add(nameof(options.RefusedWrites), options.RefusedWrites, defaults.RefusedWrites);
        Add(nameof(options.SlowWrites), options.SlowWrites, defaults.SlowWrites);
        Add(nameof(options.LateReads), options.LateReads, defaults.LateReads);
        Add(nameof(options.SpuriousWakeups), options.SpuriousWakeups, defaults.SpuriousWakeups);
        Add(nameof(options.ShufflesEvents), options.ShufflesEvents, defaults.ShufflesEvents);
        Add(nameof(options.DescriptorLimit), options.DescriptorLimit, defaults.DescriptorLimit);
        Add(nameof(options.SupportsReusePort), options.SupportsReusePort, defaults.SupportsReusePort);
        Add(nameof(options.StepLimit), options.StepLimit, defaults.StepLimit);
        if (options.IgnoredRules.Count > 0) changed.Add($"{nameof(options.IgnoredRules)} = [{string.Join(", ", options.IgnoredRules.Select(static name => $"\"{name}\""))}]");
        return changed.Count == 0 ? "new SimulationOptions()" : $"new SimulationOptions {{ {string.Join(", ", changed)} }}";

        void Add<T>(string name, T value, T usual)
        {
            if (!EqualityComparer<T>.Default.Equals(value, usual)) changed.Add($"{name} = {Literal(value)}");
        }
    }

    private static string Literal<T>(T value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        TimeSpan { Ticks: 0 } => "TimeSpan.Zero",
        TimeSpan time => $"new TimeSpan({time.Ticks})",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
