namespace Sluice.KernelTests.Loops.Kit;

/// <summary>Code on a thread of its own, which has no SynchronizationContext and no loop.</summary>
internal static class Threads
{
    /// <summary>Runs the action on another thread while this one waits.</summary>
    public static void RunElsewhere(Action action) => Assert.Null(CatchElsewhere(action));

    /// <summary>As <see cref="RunElsewhere"/>.</summary>
    /// <returns>What the action threw, or null.</returns>
    public static Exception? CatchElsewhere(Action action)
    {
        Exception? thrown = null;
        Begin(() => thrown = Record.Exception(action)).Join();
        return thrown;
    }

    public static Thread Begin(Action action)
    {
        var thread = new Thread(() => action()) { IsBackground = true };
        thread.Start();
        return thread;
    }
}
