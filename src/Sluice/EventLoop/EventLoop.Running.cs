using Sluice.Loop;
using Sluice.Watching;

namespace Sluice;

/// <content>Running a main function, and loops with a thread of their own.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Makes a loop, runs the function on it on this thread, and ends the loop in order whatever happened. (asyncio: <c>asyncio.run</c>.)
    /// </summary>
    /// <remarks>
    /// A program that does not take the token cannot be asked to end: SIGINT (Ctrl+C) and SIGTERM have their default effect and end the process at once, unless
    /// <see cref="AddSignalHandler"/> says otherwise.
    /// </remarks>
    /// <param name="main">The program.</param>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    /// <exception cref="InvalidOperationException">A loop runs on this thread already.</exception>
    public static void Run(Func<EventLoop, Task> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        Run(
            async loop =>
            {
                await main(loop);
                return true;
            },
            options);
    }

    /// <summary>
    /// Makes a loop, runs the function on it on this thread, and ends the loop in order whatever happened. Ctrl+C ends the program in order, too.
    /// (asyncio: <c>asyncio.run</c>.)
    /// </summary>
    /// <remarks>
    /// <para>The first SIGINT (Ctrl+C) or SIGTERM cancels the token, on the loop's thread; a second signal has its default effect and ends the
    /// process. A handler of <see cref="AddSignalHandler"/> stands in for that, as long as it is there. Where several runs of a process get the signal, it cancels
    /// the token of each. The token is also cancelled when the loop begins to end.</para>
    /// <para>A program that obeys, by ending with the <see cref="OperationCanceledException"/> of this token after a signal, has ended as it was asked
    /// to: nothing is thrown. Any other cancellation comes out, as every exception does.</para>
    /// </remarks>
    /// <param name="main">The program.</param>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    /// <exception cref="InvalidOperationException">A loop runs on this thread already.</exception>
    public static void Run(Func<EventLoop, CancellationToken, Task> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        using var interruption = new Interruption();
        RunMain(
            async loop =>
            {
                try
                {
                    await main(loop, interruption.Token);
                }
                catch (OperationCanceledException exception) when (interruption.Explains(exception))
                {
                }

                return true;
            },
            options,
            interruption);
    }

    /// <inheritdoc cref="Run(Func{EventLoop, Task}, EventLoopOptions?)"/>
    /// <returns>The result of the program.</returns>
    public static T Run<T>(Func<EventLoop, Task<T>> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunMain(main, options, null);
    }

    /// <summary>
    /// Makes a loop, runs the function on it on this thread, and ends the loop in order whatever happened. (asyncio: <c>asyncio.run</c>.)
    /// </summary>
    /// <remarks>
    /// The first SIGINT (Ctrl+C) or SIGTERM cancels the token, on the loop's thread; a second signal has its default effect and ends the
    /// process. A handler of <see cref="AddSignalHandler"/> stands in for that, as long as it is there. The token is also cancelled when the loop begins to
    /// end. A program that ends with an <see cref="OperationCanceledException"/> has no result: the exception comes out.
    /// </remarks>
    /// <param name="main">The program.</param>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    /// <returns>The result of the program.</returns>
    /// <exception cref="InvalidOperationException">A loop runs on this thread already.</exception>
    public static T Run<T>(Func<EventLoop, CancellationToken, Task<T>> main, EventLoopOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(main);
        using var interruption = new Interruption();
        return RunMain(loop => main(loop, interruption.Token), options, interruption);
    }

    /// <summary>
    /// Starts a loop on a background thread of its own, for programs whose Main is elsewhere. It runs until it is disposed of;
    /// <see cref="Stop"/> does not end it.
    /// </summary>
    /// <param name="options">How the loop is made, or null for the defaults.</param>
    public static EventLoop Start(EventLoopOptions? options = null)
    {
        var loop = new EventLoop(options);
        loop._arbiter.Begin();
        loop._core.HasOwnThread = true;
        var thread = new Thread(static state => ((EventLoop)state!).RunUntilDisposed()) { IsBackground = true, Name = "Sluice loop" };
        thread.UnsafeStart(loop);
        return loop;
    }

    private static T RunMain<T>(Func<EventLoop, Task<T>> main, EventLoopOptions? options, Interruption? interruption)
    {
        if (LoopCore.Current is not null) throw new InvalidOperationException("EventLoop.Run cannot be called from a running event loop.");
        using var loop = new EventLoop(options);
        if (interruption is not null) loop.Attach(interruption);
        return loop.RunUntilComplete(() => main(loop));
    }

    private void RunUntilDisposed()
    {
        using (Enter())
        {
            do
            {
                _core.RunPasses(null);
            }
            while (!_arbiter.IsEndAsked);
        }

        if (_arbiter.Finish()) End();
    }
}
