using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Sluice;

namespace Programs.LoopPrograms;

/// <summary>Programs for what a test cannot try on itself: signals, the end of a process, its environment and its standard streams.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        switch (args[0])
        {
            case "debug":
                Console.WriteLine(EventLoop.Run(static loop => Task.FromResult(loop.Debug)));
                return 0;
            case "never-closed":
                LeaveLoopOpen();
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return 0;
            case "failing-log":
                EventLoop.Run(RunWithMistakeAsync, new EventLoopOptions { Logger = new FailingLogger() });
                return 0;
            case "child":
                return EventLoop.Run(RunChildAsync);
            case "subprocess":
                return EventLoop.Run(RunSubprocessAsync);
            case "starved":
                return Starved.Run();
            case { } name when InterruptionPrograms.All.TryGetValue(name, out var program):
                program();
                return 0;
            case { } name when SignalPrograms.All.TryGetValue(name, out var program):
                program((PosixSignal)int.Parse(args.ElementAtOrDefault(1) ?? "0", CultureInfo.InvariantCulture));
                return 0;
            case "activated":
                return Activated.Run(args[1..]);
            case "activated-perhaps":
                return Activated.Probe(args.ElementAtOrDefault(1));
            default:
                throw new ArgumentException($"There is no program named {args[0]}.", nameof(args));
        }
    }

    private static void LeaveLoopOpen()
    {
        // A busy machine makes callbacks slow, and debug mode says so: that is not what is asked here.
        var loop = new EventLoop(new EventLoopOptions { Debug = true, SlowCallbackDuration = TimeSpan.FromHours(1) });
        loop.RunUntilComplete(async () =>
        {
            var server = await loop.CreateServerAsync(static () => new SilentProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
            await loop.CreateConnectionAsync(static () => new SilentProtocol(), server.EndPoints[0]);
        });
    }

    private static async Task RunWithMistakeAsync(EventLoop loop)
    {
        loop.CallSoon(static () => throw new FormatException("mistake"));
        await Task.Yield();
    }

    private static async Task<int> RunChildAsync(EventLoop loop)
    {
        using var child = Process.Start("cat");
        await child.WaitForExitAsync();
        return child.ExitCode;
    }

    private static async Task<int> RunSubprocessAsync(EventLoop loop)
    {
        await using var child = await Subprocess.StartAsync("cat", []);
        var result = await child.CommunicateAsync();
        return result is { StandardOutput: null, StandardError: null } ? result.ReturnCode : -1;
    }

    private sealed class SilentProtocol : Protocol;

    private sealed class FailingLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new IOException("the disk is full");
    }
}
