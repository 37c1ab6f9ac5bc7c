namespace Sluice;

/// <summary>What is known of a child process. (asyncio: the <c>Popen</c> object; this one only tells.)</summary>
public sealed class SubprocessInfo
{
    private readonly ISubprocessTransport _transport;

    internal SubprocessInfo(ISubprocessTransport transport, string program, IReadOnlyList<string> arguments)
    {
        _transport = transport;
        Program = program;
        Arguments = arguments;
    }

    /// <summary>The program, as it was named.</summary>
    public string Program { get; }

    /// <summary>All arguments, argument zero first.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <inheritdoc cref="ISubprocessTransport.ProcessId"/>
    public int ProcessId => _transport.ProcessId;

    /// <inheritdoc cref="ISubprocessTransport.ReturnCode"/>
    public int? ReturnCode => _transport.ReturnCode;

    /// <summary>Program and number, for logs.</summary>
    public override string ToString() => $"{Program} ({ProcessId})";
}
