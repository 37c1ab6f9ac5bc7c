using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Subprocesses;

/// <summary>
/// One output of a child as a stream to read from. What is not read yet waits in it; with too much of that the pipe rests, and the child with it. Owned by the
/// <see cref="SubprocessStreams"/> that fill it; on the loop's thread.
/// </summary>
internal sealed class OutputStream(LoopCore loop, IReadTransport pipe, int limit) : OneWayStream
{
    private ByteFifo _data;
    private LoopSignal? _reader;
    private Exception? _failure;
    private bool _isResting;
    private bool _isOver;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public void OnData(ReadOnlySpan<byte> data)
    {
        _data.Append(data);
        if (_data.Count > 2L * limit && !_isResting)
        {
            _isResting = true;
            pipe.PauseReading();
        }

        Rouse();
    }

    public void OnLost(Exception? reason)
    {
        _isOver = true;
        _failure = reason;
        Rouse();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        loop.VerifyThread();
        if (_reader is not null) throw new InvalidOperationException("Somebody waits for this output already.");
        cancellationToken.ThrowIfCancellationRequested();
        if (buffer.IsEmpty) return 0;
        while (_data.Count == 0 && !_isOver) await WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_data.Count == 0 && _failure is not null) throw new IOException($"The pipe broke: {_failure.Message}", _failure);
        var count = _data.Take(buffer.Span);
        if (_isResting && _data.Count <= limit)
        {
            _isResting = false;
            pipe.ResumeReading();
        }

        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A read that waits would stop the loop, which alone can bring the data: use ReadAsync.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) pipe.Close();
        base.Dispose(disposing);
    }

    private async ValueTask WaitAsync(CancellationToken cancellation)
    {
        _reader = new LoopSignal(loop);
        try
        {
            await _reader.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _reader = null;
        }
    }

    private void Rouse() => _reader?.Set();
}
