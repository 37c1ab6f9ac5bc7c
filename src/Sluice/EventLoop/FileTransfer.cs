using Sluice.Loop;
using Sluice.Transports;

namespace Sluice;

/// <summary>One call of SendFileAsync: by the kernel where it can, else by reading and writing. Lives on the loop's thread.</summary>
internal sealed class FileTransfer(
    LoopCore core, ITransport transport, Func<FileSource> open, long? count, bool fallback, CancellationToken cancellation)
{
    private long _sent;
    private bool _isCut;

    /// <summary>Begins, unless something forbids to write now.</summary>
    /// <exception cref="InvalidOperationException">The transport is closing, its sending side was ended, or it sends a file already.</exception>
    public Task<long> Begin()
    {
        if (transport.IsClosing) throw new InvalidOperationException("The transport is closing.");
        if (transport.Protocol is FileRelay) throw FileSend.InProgress();

        // An empty write does nothing but to throw where a write would.
        transport.Write([]);
        return RunAsync();
    }

    private async Task<long> RunAsync()
    {
        var source = open();
        try
        {
            cancellation.ThrowIfCancellationRequested();
            if (source.Handle is not null)
            {
                // Files of /proc and their like say that they are empty, or have any size: only reading tells.
                var length = source.FindLength();
                if (length <= 0 && await source.IsAtEndAsync(core.Backend, cancellation)) return 0;
                while (length > 0 && _sent < (count ?? long.MaxValue))
                {
                    if (!await TrySendNativelyAsync(source, Math.Min(length, (count ?? long.MaxValue) - _sent))) break;

                    // It may have grown meanwhile, or been closed by its owner.
                    if (_isCut || source.Handle.IsClosed) return _sent;
                    length = source.FindLength() - _sent;
                    if (length <= 0) return _sent;
                }

                if (_sent > 0) return _sent;
            }

            if (!fallback) throw NotAvailable();
            await RelayAsync(source);
            return _sent;
        }
        finally
        {
            source.SetPosition(_sent);
        }
    }

    /// <returns>False where the kernel cannot do it and nothing was sent.</returns>
    private async Task<bool> TrySendNativelyAsync(FileSource source, long most)
    {
        if (transport is not ISendsFiles direct) return false;
        var before = _sent;
        var file = new FileSend(source.Handle!, source.Offset + before, most);
        try
        {
            direct.StartFile(file, cancellation);
            await file.Done;
            return true;
        }
        catch (SendFileNotAvailableException) when (fallback)
        {
            return false;
        }
        finally
        {
            _sent = before + file.Sent;
            _isCut = file.Sent < most;
        }
    }

    private async Task RelayAsync(FileSource source)
    {
        // Turns have passed where the kernel was tried.
        if (transport.IsClosing) throw FileSend.Interrupted(null);
        var relay = FileRelay.TakeOver(core, transport);
        try
        {
            await relay.SendAsync(source, count ?? long.MaxValue, cancellation);
        }
        finally
        {
            _sent = relay.Sent;
        }
    }

    private SendFileNotAvailableException NotAvailable() => new(
        $"The kernel cannot send this file over this {transport.GetType().Name}, and the fallback, which reads and writes, is disabled.");
}
