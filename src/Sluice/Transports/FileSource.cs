using Microsoft.Win32.SafeHandles;
using Sluice.Backends;

namespace Sluice.Transports;

/// <summary>What is sent: a file by its handle, or any stream; from an offset on. Made for one call of the user's, used on the loop's thread.</summary>
internal sealed class FileSource
{
    private readonly Stream? _stream;
    private readonly long? _positionBefore;

    private FileSource(Stream? stream, SafeFileHandle? handle, long offset)
    {
        _stream = stream;
        Handle = handle;
        Offset = offset;
        if (stream is { CanSeek: true }) _positionBefore = stream.Position;
    }

    /// <summary>The handle of a file that a kernel may be able to send, or null.</summary>
    public SafeFileHandle? Handle { get; }

    public long Offset { get; }

    /// <summary>A stream. One over a regular file has written what it had buffered before its handle is used.</summary>
    public static FileSource Of(Stream stream, long offset) =>
        new(stream, stream is FileStream { CanSeek: true } file ? file.SafeFileHandle : null, offset);

    /// <summary>A handle. One that cannot seek is read through a stream that is never disposed of: only that would close it.</summary>
    /// <exception cref="NotSupportedException">It cannot seek, and an offset is given.</exception>
    public static FileSource Of(SafeFileHandle handle, long offset)
    {
        if (CanSeek(handle)) return new FileSource(null, handle, offset);
        if (offset > 0) throw new NotSupportedException("A file that cannot seek is sent from where it is: there is no offset.");
        return new FileSource(new FileStream(handle, FileAccess.Read, bufferSize: 0), null, 0);
    }

    /// <summary>How many bytes lie behind the offset, perhaps a negative number. Only for a file with a handle.</summary>
    public long FindLength() => RandomAccess.GetLength(Handle!) - Offset;

    /// <summary>Whether nothing can be read behind the offset, whatever the size says.</summary>
    public async ValueTask<bool> IsAtEndAsync(IoBackend backend, CancellationToken cancellation) =>
        await backend.ReadFileAsync(Handle!, new byte[1], Offset, cancellation) == 0;

    /// <summary>Reads what follows the bytes that were sent. Nothing: the end.</summary>
    public ValueTask<int> ReadAsync(IoBackend backend, Memory<byte> target, long sent, CancellationToken cancellation)
    {
        if (Handle is not null) return backend.ReadFileAsync(Handle, target, Offset + sent, cancellation);
        if (sent == 0 && _positionBefore is not null) _stream!.Position = Offset;
        return _stream!.ReadAsync(target, cancellation);
    }

    /// <summary>The position of a stream that has one says afterwards how far the sending came; where nothing was sent, it is the old one.</summary>
    public void SetPosition(long sent)
    {
        if (_positionBefore is not { } before) return;
        try
        {
            _stream!.Position = sent > 0 ? Offset + sent : before;
        }
        catch (ObjectDisposedException)
        {
            // Closed by its owner meanwhile: nobody will ask.
        }
    }

    private static bool CanSeek(SafeFileHandle handle)
    {
        try
        {
            return RandomAccess.GetLength(handle) >= 0;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }
}
