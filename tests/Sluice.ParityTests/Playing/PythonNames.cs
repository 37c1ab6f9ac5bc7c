using System.Net.Sockets;

namespace Sluice.ParityTests.Playing;

/// <summary>The exceptions of Python and of .NET that mean the same: the table of docs/from-asyncio.md.</summary>
internal static class PythonNames
{
    /// <summary>Python's name for one of ours.</summary>
    public static string Of(Exception? exception) => exception switch
    {
        null => "None",
        SocketException socket => Of(socket.SocketErrorCode),
        ProcessLookupException => "ProcessLookupError",
        FileNotFoundException or DirectoryNotFoundException => "FileNotFoundError",
        UnauthorizedAccessException => "PermissionError",
        ArgumentException => "ValueError",
        InvalidOperationException => "RuntimeError",
        NotSupportedException => "NotImplementedError",
        OperationCanceledException => "CancelledError",
        IOException => "OSError",
        _ => exception.GetType().Name,
    };

    /// <summary>Python's spelling of a truth.</summary>
    public static string Of(bool value) => value ? "True" : "False";

    /// <summary>The exception that a scenario raises.</summary>
    public static Exception Make(string name) => name switch
    {
        "ValueError" => new ArgumentException("from a scenario"),
        "RuntimeError" => new InvalidOperationException("from a scenario"),
        "OSError" => new IOException("from a scenario"),
        _ => throw new NotSupportedException($"No exception of .NET is meant by {name}."),
    };

    private static string Of(SocketError code) => code switch
    {
        SocketError.ConnectionReset => "ConnectionResetError",
        SocketError.ConnectionRefused => "ConnectionRefusedError",
        SocketError.ConnectionAborted => "ConnectionAbortedError",
        SocketError.Shutdown => "BrokenPipeError",
        SocketError.TimedOut => "TimeoutError",
        SocketError.AddressNotAvailable => "FileNotFoundError",
        SocketError.MessageSize => "OSError",
        _ => $"SocketException {code}",
    };
}
