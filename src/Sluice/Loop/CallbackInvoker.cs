namespace Sluice.Loop;

/// <summary>Runs the callbacks of handles: in their context, timed in debug mode, and with what they throw reported.</summary>
internal static class CallbackInvoker
{
    /// <summary>How an <see cref="Action"/> travels as a callback with state, without a closure.</summary>
    public static readonly Action<object?> RunAction = static action => ((Action)action!)();

    public static void Invoke(LoopCore loop, Action<object?> callback, object? state, ExecutionContext? context, Handle handle, string? trace)
    {
        var started = loop.StartCallback();
        CallbackContext.Enter(context);
        try
        {
            callback(state);
        }
        catch (Exception exception)
        {
            loop.ReportThrown(new ExceptionContext("Exception in callback") { Exception = exception, Handle = handle, SourceTraceback = trace });
        }

        if (loop.Debug) loop.EndCallback(started, Method(callback, state));
    }

    public static string Describe(string kind, Action<object?>? callback, object? state, bool isCancelled)
    {
        if (isCancelled) return $"<{kind} cancelled>";
        return callback is null ? $"<{kind} done>" : $"<{kind} {Method(callback, state)}>";
    }

    private static string Method(Action<object?> callback, object? state) =>
        state is Action action && callback == RunAction
            ? $"{action.Method.DeclaringType}.{action.Method.Name}"
            : $"{callback.Method.DeclaringType}.{callback.Method.Name}";
}
