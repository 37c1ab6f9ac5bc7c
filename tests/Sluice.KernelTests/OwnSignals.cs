using System.Runtime.InteropServices;
using Sluice.Primitives;

namespace Sluice.KernelTests;

/// <summary>
/// Signals that the test process sends to itself. It survives those whose handler is gone by the time that they come: it has a registration of its own
/// for each.
/// </summary>
internal static partial class OwnSignals
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, and two real-time ones.</summary>
    private static readonly Dictionary<int, Witness> First =
        new[] { 1, 10, 12, 17, 18, 23, 28, 44, 45 }.ToDictionary(static number => number, static number => new Witness(number, isFirst: true));

    /// <summary>Makes the process ready, before anybody else watches one of these signals.</summary>
    public static void Expect() => _ = First.Count;

    /// <summary>Sends one, and waits until it has reached every registration: .NET calls them one after another, and those at both ends are ours.</summary>
    /// <returns>True where somebody other than us has kept the default action from being taken.</returns>
    public static bool Send(PosixSignal signal)
    {
        var number = SignalNumber.Of(signal);
        var first = First[number];
        using var last = new Witness(number, isFirst: false);
        var seen = first.Count;
        Assert.Equal(0, Kill(Environment.ProcessId, number));
        Assert.True(SpinWait.SpinUntil(() => first.Count > seen && last.Count > 0, Patience), $"Signal {number} did not come.");
        return first.WasCancelled;
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);

    private sealed class Witness : IDisposable
    {
        private readonly PosixSignalRegistration _registration;
        private readonly bool _keepsAlive;
        private int _count;

        public Witness(int number, bool isFirst)
        {
            _keepsAlive = isFirst && !SignalNumber.IsHarmless(number);
            _registration = PosixSignalRegistration.Create((PosixSignal)number, OnSignal);
        }

        public int Count => Volatile.Read(ref _count);

        public bool WasCancelled { get; private set; }

        public void Dispose() => _registration.Dispose();

        private void OnSignal(PosixSignalContext context)
        {
            WasCancelled = context.Cancel;
            if (_keepsAlive) context.Cancel = true;
            Interlocked.Increment(ref _count);
        }
    }
}
