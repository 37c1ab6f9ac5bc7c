using System.Net;

namespace Sluice;

/// <summary>
/// What an exception handler is told: what went wrong and, where it is known, for whom. Members that do not apply are null.
/// (asyncio: the context of <c>call_exception_handler</c>.)
/// </summary>
public sealed class ExceptionContext
{
    /// <summary>With a description of what went wrong.</summary>
    /// <param name="message">One line.</param>
    public ExceptionContext(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Message = message;
    }

    /// <summary>What went wrong, in one line.</summary>
    public string Message { get; }

    /// <summary>The exception.</summary>
    public Exception? Exception { get; init; }

    /// <summary>The transport concerned.</summary>
    public IBaseTransport? Transport { get; init; }

    /// <summary>The protocol whose callback threw.</summary>
    public BaseProtocol? Protocol { get; init; }

    /// <summary>The handle whose callback threw.</summary>
    public Handle? Handle { get; init; }

    /// <summary>The address concerned: where a server listens.</summary>
    public EndPoint? EndPoint { get; init; }

    /// <summary>The task concerned.</summary>
    public Task? Task { get; init; }

    /// <summary>In debug mode: the stack of the call that queued the callback.</summary>
    public string? SourceTraceback { get; init; }

    /// <summary>Where the exception handler itself threw: what it had been told.</summary>
    public ExceptionContext? Context { get; init; }

    /// <summary>The message, the exception and the members that apply, for logs.</summary>
    public override string ToString()
    {
        var parts = new List<string> { Message };
        if (Exception is not null) parts.Add($"exception: {Exception.GetType().Name}: {Exception.Message}");
        if (Handle is not null) parts.Add($"handle: {Handle}");
        if (Protocol is not null) parts.Add($"protocol: {Protocol.GetType()}");
        if (Transport is not null) parts.Add($"transport: {Transport}");
        if (EndPoint is not null) parts.Add($"address: {EndPoint}");
        if (Context is not null) parts.Add($"context: ({Context})");
        return string.Join("; ", parts);
    }
}
