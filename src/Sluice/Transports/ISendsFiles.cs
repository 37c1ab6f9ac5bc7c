namespace Sluice.Transports;

/// <summary>
/// A transport that can have its kernel send a file, so that the bytes never pass through the program. Not for one that changes the bytes on
/// their way: what encrypts must see them.
/// </summary>
internal interface ISendsFiles
{
    /// <summary>Begins, behind what was written before. The transport must be open, and no other file under way.</summary>
    /// <param name="file">Knows what to send, and tells how it went.</param>
    /// <param name="cancellation">Gives up; the transport lives on.</param>
    void StartFile(FileSend file, CancellationToken cancellation);
}
