using Sluice;

namespace Tour;

/// <summary>Runs the exchanges one after the other and counts those that were right.</summary>
internal static class Exchanges
{
    private static readonly TimeSpan LongestExchange = TimeSpan.FromSeconds(10);

    private static readonly Func<EventLoop, Task<bool>>[] All =
    [
        TcpEcho.RunAsync,
        HalfClose.RunAsync,
        ExistingSocket.RunAsync,
        UnixEcho.RunAsync,
        FlowControl.RunAsync,
        UdpEcho.RunAsync,
        DateProcess.RunAsync,
        Pipes.RunAsync,
        SendFile.RunAsync,
        Tls.RunAsync,
        StartTls.RunAsync,
    ];

    /// <returns>The exit code: 0 where all were right.</returns>
    public static async Task<int> RunAsync(EventLoop loop)
    {
        var unhandled = 0;
        loop.ExceptionHandler = (_, context) =>
        {
            unhandled++;
            Console.WriteLine($"   WRONG: {context}");
        };

        Console.WriteLine("Each line is one callback: who was called, and what about. Indented: what the protocol then asked of its transport.");
        var right = 0;
        foreach (var exchange in All)
        {
            if (await IsRightAsync(loop, exchange)) right++;
        }

        Console.WriteLine();
        Console.WriteLine($"{right} of {All.Length} exchanges were right");
        return right == All.Length && unhandled == 0 ? 0 : 1;
    }

    private static async Task<bool> IsRightAsync(EventLoop loop, Func<EventLoop, Task<bool>> exchange)
    {
        try
        {
            return await exchange(loop).WaitAsync(LongestExchange, loop.TimeProvider);
        }
        catch (Exception exception) when (exception is IOException or System.Net.Sockets.SocketException or TimeoutException)
        {
            Console.WriteLine($"   WRONG: {exception.Message}");
            return false;
        }
    }
}
