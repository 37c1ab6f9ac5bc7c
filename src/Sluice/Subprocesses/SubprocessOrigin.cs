namespace Sluice.Subprocesses;

/// <summary>Where a subprocess transport comes from: what its start gives it at birth.</summary>
/// <param name="Set">The children of the loop, which it is one of until ConnectionLost has returned or it was given up and has ended.</param>
/// <param name="Info">What users may ask about it.</param>
/// <param name="MaxWriteBufferSize">The most bytes that may wait for its standard input.</param>
/// <param name="Context">The ExecutionContext of its callbacks; null is the default one.</param>
/// <param name="Waiter">Who waits for ConnectionMade.</param>
internal readonly record struct SubprocessOrigin(
    SubprocessSet Set, (string Program, IReadOnlyList<string> Arguments) Info, int MaxWriteBufferSize, ExecutionContext? Context, ISubprocessWaiter Waiter);

/// <summary>Hears what becomes of a start: one of the two.</summary>
internal interface ISubprocessWaiter
{
    /// <summary>ConnectionMade has been called.</summary>
    void OnStarted();

    /// <summary>It was given up before that, and the child has been killed and reaped.</summary>
    void OnGivenUp();
}
