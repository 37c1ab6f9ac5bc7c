using System.Globalization;
using System.Text;
using Sluice;

// A conversation over standard input and output, both on the loop: try it in a terminal (Ctrl+D ends it), or: printf 'hello\n' | StdioChat | cat
return EventLoop.Run(static async (loop, interrupted) =>
{
    try
    {
        var (output, mouth) = await loop.ConnectWritePipeAsync(() => new Mouth(), EventLoop.OpenStandardOutput(), interrupted);
        output.Write("Who are you?\n"u8);
        await loop.ConnectReadPipeAsync(() => new Ears(output), EventLoop.OpenStandardInput(), interrupted);
        await mouth.Gone.WaitAsync(interrupted);
        return 0;
    }
    catch (OperationCanceledException)
    {
        // Ctrl+C: the loop ends in order, which also gives the terminal back as it was.
        return 130;
    }
    catch (ArgumentException)
    {
        // A loop waits for input and for room; a file has nothing to wait for.
        await Console.Error.WriteLineAsync("StdioChat talks to terminals and pipes, not to files: put cat between, as in  cat FILE | StdioChat | cat > ANSWERS");
        return 2;
    }
});

/// <summary>Standard output. It is gone when everything is written and it is closed, or when nobody reads it any more.</summary>
internal sealed class Mouth : WriteProtocol
{
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Gone => _gone.Task;

    public override void ConnectionLost(Exception? exception) => _gone.SetResult();
}

/// <summary>Standard input: answers each line, and says goodbye at the end.</summary>
internal sealed class Ears(IWriteTransport output) : ReadProtocol
{
    private readonly StringBuilder _line = new();
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private string? _name;
    private int _lines;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        var text = new char[Encoding.UTF8.GetMaxCharCount(data.Length)];
        foreach (var letter in text.AsSpan(0, _decoder.GetChars(data, text, flush: false)))
        {
            if (letter != '\n') _line.Append(letter);
            else Answer();
        }
    }

    public override void ConnectionLost(Exception? exception)
    {
        if (_line.Length > 0) Answer();
        Say($"Goodbye{(_name is null ? "" : $", {_name}")}. I have heard {_lines} lines.");
        output.WriteEof();
    }

    private void Answer()
    {
        var line = _line.ToString();
        _line.Clear();
        _lines++;
        if (_name is null) Say($"Hello, {_name = line}. Tell me more.");
        else Say($"{_name}, that was {line.Length} letters: {line.ToUpper(CultureInfo.InvariantCulture)}");
    }

    private void Say(string text) => output.Write(Encoding.UTF8.GetBytes(text + "\n"));
}
