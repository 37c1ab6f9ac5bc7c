using System.Text;

namespace Tour;

/// <summary>Prints what happens in one exchange as it happens, and remembers the callbacks, so that the exchange can be checked.</summary>
internal sealed class Transcript
{
    private readonly TextWriter _output = Console.Out;
    private readonly List<string> _callbacks = [];

    /// <param name="title">Printed above it, where there is one.</param>
    public Transcript(string? title = null)
    {
        if (title is null) return;
        _output.WriteLine();
        _output.WriteLine(title);
    }

    /// <summary>Bytes as text, in quotes.</summary>
    public static string Quote(ReadOnlySpan<byte> data) => $"'{Encoding.UTF8.GetString(data).TrimEnd('\n')}'";

    /// <summary>How a connection ended.</summary>
    public static string Describe(Exception? exception) => exception is null ? "null: an orderly end" : exception.Message;

    /// <summary>The loop calls a protocol.</summary>
    public void Callback(string who, string name, string detail = "")
    {
        _callbacks.Add($"{who}.{name}");
        Print(who, name, detail);
    }

    /// <summary>A protocol calls its transport: printed below the callback in which it does.</summary>
    public void Call(string who, string name, string detail = "") => Print(who, $"  {name}", detail);

    /// <summary>Whether these callbacks of one side have come, each once, in this order, and no others.</summary>
    public bool Saw(string who, params string[] names) =>
        _callbacks.Where(callback => callback.StartsWith($"{who}.", StringComparison.Ordinal)).SequenceEqual(names.Select(name => $"{who}.{name}"));

    /// <summary>How often a callback has come to one side.</summary>
    public int Count(string who, string name) => _callbacks.Count(callback => callback == $"{who}.{name}");

    /// <summary>Whether this callback of one side was its last one.</summary>
    public bool IsLast(string who, string name) =>
        _callbacks.LastOrDefault(callback => callback.StartsWith($"{who}.", StringComparison.Ordinal)) == $"{who}.{name}";

    /// <summary>Prints the verdict and passes it on.</summary>
    public bool Conclude(bool isRight, string claim)
    {
        Print(isRight ? "right:" : "WRONG:", claim, "");
        return isRight;
    }

    private void Print(string who, string name, string detail) => _output.WriteLine($"   {who,-8} {name,-18} {detail}".TrimEnd());
}
