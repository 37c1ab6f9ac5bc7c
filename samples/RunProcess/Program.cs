using System.Text;
using Sluice;

// A program that runs others: one with callbacks, one with streams, one in a line.
EventLoop.Run(async loop =>
{
    // What the system calls today, through a protocol of our own.
    var (transport, date) = await loop.SubprocessExecAsync(() => new DateProtocol(), "date", ["+%Y-%m-%d"]);
    Console.WriteLine($"Today is {await date.Answer}.");
    Console.WriteLine($"date has ended with {transport.ReturnCode}.");

    // A conversation, through streams.
    var piped = new SubprocessOptions { StandardInput = SubprocessStream.Pipe, StandardOutput = SubprocessStream.Pipe };
    await using (var shell = await Subprocess.StartAsync("sh", ["-c", "while read -r word; do echo \"$word has ${#word} letters\"; done"], piped))
    {
        using var answers = new StreamReader(shell.StandardOutput!);
        foreach (var word in (string[])["sluice", "loop"])
        {
            await shell.StandardInput!.WriteAsync(Encoding.UTF8.GetBytes(word + "\n"));
            Console.WriteLine(await answers.ReadLineAsync());
        }

        Console.WriteLine($"Asked to end, it ends with {await shell.TerminateAsync()}.");
    }

    // All at once.
    var sorted = await Subprocess.RunAsync("sort", ["-n"], "10\n9\n8\n"u8.ToArray());
    Console.WriteLine($"Sorted: {sorted.GetOutputText().ReplaceLineEndings(" ").Trim()}");
});

internal sealed class DateProtocol : SubprocessProtocol
{
    private readonly TaskCompletionSource<string> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StringBuilder _output = new();

    public Task<string> Answer => _answer.Task;

    public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
    {
        if (fd == 1) _output.Append(Encoding.ASCII.GetString(data));
    }

    // After the end of the process and of all its pipes: nothing more can come.
    public override void ConnectionLost(Exception? exception) => _answer.SetResult(_output.ToString().Trim());
}
