namespace Sluice.Loop;

/// <summary>
/// The ExecutionContext that a callback runs in: the one of the call that created it. The default context, by far the most common, is
/// stored as null and costs nothing.
/// </summary>
internal static class CallbackContext
{
    private static readonly ExecutionContext Default = CaptureOnCleanThread();

    /// <summary>The caller's context, or null where it is the default one or must not flow.</summary>
    public static ExecutionContext? Capture()
    {
        var context = ExecutionContext.Capture();
        return ReferenceEquals(context, Default) ? null : context;
    }

    /// <summary>Makes the context current until the end of the step. For callbacks that no user code surrounds.</summary>
    public static void Enter(ExecutionContext? context) => ExecutionContext.Restore(context ?? Default);

    /// <summary>Runs a callback in the context and restores the surrounding one. For callbacks made inside a call of the user's.</summary>
    public static void Run(ExecutionContext? context, ContextCallback callback, object? state) =>
        ExecutionContext.Run(context ?? Default, callback, state);

    private static ExecutionContext CaptureOnCleanThread()
    {
        ExecutionContext? context = null;
        var thread = new Thread(() => context = ExecutionContext.Capture()) { IsBackground = true };
        thread.UnsafeStart();
        thread.Join();
        return context!;
    }
}
