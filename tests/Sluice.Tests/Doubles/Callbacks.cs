using System.Text;

namespace Sluice.Tests.Doubles;

/// <summary>What a traced protocol does when it is called: a line in the trace, then whatever its test hung in.</summary>
internal sealed class Callbacks(List<string> trace)
{
    private readonly Dictionary<string, Action<ITransport>> _actions = [];
    private readonly Stack<string> _running = new();

    public ITransport? Transport { get; private set; }

    /// <summary>The answer of EofReceived.</summary>
    public bool KeepsOpen { get; set; }

    /// <summary>What was received, as text.</summary>
    public StringBuilder Received { get; } = new();

    /// <summary>The reason of ConnectionLost.</summary>
    public Exception? Reason { get; private set; }

    /// <summary>
    /// What no protocol may see: a callback inside another (those of flow control excepted), data while reading is paused, a resume while
    /// closing.
    /// </summary>
    public List<string> Violations { get; } = [];

    /// <summary>Done in every call of the named callback, after its line.</summary>
    public void On(string callback, Action<ITransport> action) => _actions[callback] = action;

    /// <summary>As <see cref="On"/>, but only in the first call.</summary>
    public void Once(string callback, Action<ITransport> action) => On(callback, transport =>
    {
        _actions.Remove(callback);
        action(transport);
    });

    public void Made(ITransport transport)
    {
        Transport = transport;
        Called("ConnectionMade");
    }

    public void Lost(Exception? reason)
    {
        Reason = reason;
        Called("ConnectionLost", reason is null ? "null" : reason.GetType().Name);
    }

    public void Data(string callback, ReadOnlySpan<byte> data)
    {
        var text = Encoding.Latin1.GetString(data);
        Received.Append(text);
        if (!Transport!.IsReading) Violations.Add($"{callback} while not reading");
        Called(callback, text.Length > 20 ? $"{text.Length} bytes" : text);
    }

    public void Called(string callback, string detail = "")
    {
        trace.Add(detail.Length > 0 ? $"{callback}({detail})" : callback);
        if (_running.TryPeek(out var outer) && callback is not ("PauseWriting" or "ResumeWriting")) Violations.Add($"{callback} inside {outer}");
        if (callback == "ResumeWriting" && Transport!.IsClosing) Violations.Add("ResumeWriting while closing");
        _running.Push(callback);
        try
        {
            if (_actions.TryGetValue(callback, out var action)) action(Transport!);
        }
        finally
        {
            _running.Pop();
        }
    }
}
