using System.Globalization;
using System.Text;
using Sluice;

namespace Tour;

/// <summary>The guide's subprocess: asks the system's date program what day it is.</summary>
internal static class DateProcess
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("7. A subprocess: what day is it?");
        var connectionLost = loop.CreateFuture();
        var options = new SubprocessOptions { StandardInput = SubprocessStream.Null, StandardError = SubprocessStream.Inherit };
        var (transport, date) = await loop.SubprocessExecAsync(() => new DateProtocol(transcript, connectionLost), "date", ["+%Y-%m-%d"], options);
        await connectionLost.Task;

        var isRight = transport.ReturnCode == 0
            && DateTime.TryParseExact(date.Output.Trim(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            && transcript.Count("child", "ProcessExited") == 1
            && transcript.Count("child", "PipeConnectionLost") == 1
            && transcript.IsLast("child", "ConnectionLost");
        return transcript.Conclude(isRight, $"it is {date.Output.Trim()}, says a program that ended with {transport.ReturnCode}");
    }

    private sealed class DateProtocol(Transcript transcript, TaskCompletionSource connectionLost) : SubprocessProtocol
    {
        private readonly StringBuilder _output = new();

        public string Output => _output.ToString();

        public override void ConnectionMade(ISubprocessTransport transport) =>
            transcript.Callback("child", "ConnectionMade", $"process {transport.ProcessId}");

        public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
        {
            transcript.Callback("child", "PipeDataReceived", $"{Transcript.Quote(data)} from descriptor {fd}");
            _output.Append(Encoding.ASCII.GetString(data));
        }

        // The end of the pipe and the end of the process come in either order.
        public override void PipeConnectionLost(int fd, Exception? exception) =>
            transcript.Callback("child", "PipeConnectionLost", $"descriptor {fd}: {Transcript.Describe(exception)}");

        public override void ProcessExited() => transcript.Callback("child", "ProcessExited");

        public override void ConnectionLost(Exception? exception)
        {
            transcript.Callback("child", "ConnectionLost", Transcript.Describe(exception));
            connectionLost.SetResult();
        }
    }
}
