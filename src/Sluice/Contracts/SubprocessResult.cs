using System.Text;

namespace Sluice;

/// <summary>What a child left behind.</summary>
/// <param name="ReturnCode">The exit code, -N where signal N ended the child.</param>
/// <param name="StandardOutput">All that came through the pipe of its standard output; null where there was none.</param>
/// <param name="StandardError">All that came through the pipe of its standard error; null where there was none.</param>
public sealed record SubprocessResult(int ReturnCode, byte[]? StandardOutput, byte[]? StandardError)
{
    /// <summary>The standard output as text.</summary>
    /// <param name="encoding">Null: UTF-8.</param>
    public string GetOutputText(Encoding? encoding = null) => TextOf(StandardOutput, encoding);

    /// <summary>The standard error as text.</summary>
    /// <param name="encoding">Null: UTF-8.</param>
    public string GetErrorText(Encoding? encoding = null) => TextOf(StandardError, encoding);

    private static string TextOf(byte[]? bytes, Encoding? encoding) => bytes is null ? "" : (encoding ?? Encoding.UTF8).GetString(bytes);
}
