using System.Runtime.InteropServices;
using Sluice.Ending;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Watching;

/// <summary>The signal handlers that users have added to a loop, by the signal's number. Owned by the loop; on its thread.</summary>
internal sealed class SignalHandlers(LoopCore core, LoopMembers members)
{
    private readonly Dictionary<int, SignalHandler> _handlers = [];

    /// <summary>What a run does with the signals that ask it to end; a user's handler for one stands in for it.</summary>
    public Interruption? Interruption { get; set; }

    public Handle Add(PosixSignal signal, Action callback)
    {
        var number = Check(signal);
        ArgumentNullException.ThrowIfNull(callback);
        core.VerifyUsable();
        if (!SignalNumber.CanBeCaught(number)) throw CannotBeCaught(number);
        if (!_handlers.TryGetValue(number, out var handler)) handler = Watch(signal, number);
        return handler.Set(callback);
    }

    public bool Remove(PosixSignal signal)
    {
        var number = Check(signal);
        core.VerifyThread();
        return _handlers.TryGetValue(number, out var handler) && handler.Remove();
    }

    // Both changes of hands overlap: a signal in between is heard twice rather than by nobody, which would end the process.
    private SignalHandler Watch(PosixSignal signal, int number)
    {
        SignalHandler handler;
        try
        {
            handler = new SignalHandler(core, members, signal, () => Forget(number));
        }
        catch (Exception exception) when (exception is IOException or PlatformNotSupportedException)
        {
            throw CannotBeCaught(number, exception);
        }

        Interruption?.StepAside(number);
        return _handlers[number] = handler;
    }

    private void Forget(int number)
    {
        _handlers.Remove(number);
        Interruption?.StepIn(number);
    }

    private static int Check(PosixSignal signal) => SignalNumber.Of(signal) is > 0 and var number
        ? number
        : throw new ArgumentOutOfRangeException(nameof(signal), signal, "There is no such signal.");

    private static InvalidOperationException CannotBeCaught(int number, Exception? reason = null) => new($"signal {number} cannot be caught", reason);
}
