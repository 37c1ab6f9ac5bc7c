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

    /// <summary>SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, and a real-time one.</summary>
    private static readonly Dictionary<int, Witness> First =
        new[] { 1, 10, 12, 17, 18, 23, 28, 44 }.ToDictionary(static number => number, static number => new Witness(number));

    /// <summary>Makes the process ready, before anybody else watches one of these signals.</summary>
    public static void Expect() => _ = First.Count;

    /// <summary>Sends one, and waits until it has reached every registration: .NET calls them one after another, and those at both ends are ours.</summary>
    public static void Send(PosixSignal signal)
    {
        var number = SignalNumber.Of(signal);
        var first = First[number];
        using var last = new Witness(number);
        var seen = first.Count;
        Assert.Equal(0, Kill(Environment.ProcessId, number));
        Assert.True(SpinWait.SpinUntil(() => first.Count > seen && last.Count > 0, Patience), $"Signal {number} did not come.");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);

    private sealed class Witness : IDisposable
    {
        private readonly PosixSignalRegistration _registration;
        private readonly bool _isHarmless;
        private int _count;

        public Witness(int number)
        {
            _isHarmless = SignalNumber.IsHarmless(number);
            _registration = PosixSignalRegistration.Create((PosixSignal)number, OnSignal);
        }

        public int Count => Volatile.Read(ref _count);

        public void Dispose() => _registration.Dispose();

        private void OnSignal(PosixSignalContext context)
        {
            if (!_isHarmless) context.Cancel = true;
            Interlocked.Increment(ref _count);
        }
    }
}
