namespace Sluice;

/// <summary>
/// The kernel cannot send this file over this transport, and the caller did not allow the way round it, which is to read and write. Nothing was
/// sent. (asyncio: <c>SendfileNotAvailableError</c>.)
/// </summary>
public sealed class SendFileNotAvailableException : NotSupportedException
{
    internal SendFileNotAvailableException(string message)
        : base(message)
    {
    }
}
