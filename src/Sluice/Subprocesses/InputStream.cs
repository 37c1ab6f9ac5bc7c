using System.Net.Sockets;
using Sluice.Loop;

namespace Sluice.Subprocesses;

/// <summary>
/// The input of a child as a stream to write to. Write accepts at once; WriteAsync hands over a piece at a time, each when the one before has left, and so never meets the hard limit of
/// the write buffer by itself. Owned by the <see cref="SubprocessStreams"/>, which tell it of the pipe; on the loop's thread.
/// </summary>
internal sealed class InputStream(LoopCore loop, IWriteTransport pipe) : OneWayStream
{
    private const int PieceSize = 64 * 1024;

    private readonly List<LoopSignal> _waiters = [];
    private readonly Queue<LoopSignal> _writers = [];
    private bool _isWriting;
    private Exception? _failure;
    private bool _isLost;
    private bool _isPaused;
    private bool _isClosed;

    /// <summary>Nothing reaches the child any more.</summary>
    public bool IsLost => _isLost;

    public override bool CanRead => false;

    public override bool CanWrite => !_isClosed;

    public void OnFlow(bool pause)
    {
        _isPaused = pause;
        if (!pause) Release();
    }

    public void OnLost(Exception? reason)
    {
        _isLost = true;
        _failure = reason;
        Release();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        loop.VerifyThread();
        ThrowIfOver();
        pipe.Write(buffer);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        loop.VerifyThread();
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfOver();

        // One write is whole before the next begins.
        if (_isWriting)
        {
            var turn = new LoopSignal(loop);
            _writers.Enqueue(turn);
            await turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }

        _isWriting = true;
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            do
            {
                var piece = buffer[..Math.Min(buffer.Length, PieceSize)];
                Write(piece.Span);
                buffer = buffer[piece.Length..];
                await FlushAsync(cancellationToken).ConfigureAwait(false);
            }
            while (!buffer.IsEmpty);
        }
        finally
        {
            _isWriting = _writers.TryDequeue(out var next);
            next?.Set();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <summary>What was written leaves by itself, and nothing here may wait.</summary>
    public override void Flush()
    {
    }

    /// <summary>Waits until there is room; fails where something that was written can reach the child no more.</summary>
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        loop.VerifyThread();
        // A pipe that broke in a write says so in a later turn.
        while ((_isPaused || pipe.IsClosing) && !_isLost) await WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_failure is not null) throw Broken(_failure);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isClosed)
        {
            pipe.Close();
            _isClosed = true;
        }

        base.Dispose(disposing);
    }

    private ValueTask WaitAsync(CancellationToken cancellation)
    {
        var waiter = new LoopSignal(loop);
        _waiters.Add(waiter);
        return waiter.WaitAsync(cancellation);
    }

    private void Release()
    {
        foreach (var waiter in _waiters) waiter.Set();
        _waiters.Clear();
    }

    private void ThrowIfOver()
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        if (_isLost) throw Broken(_failure ?? new SocketException((int)SocketError.ConnectionReset));
    }

    private static IOException Broken(Exception reason) => new($"The child takes no more input: {reason.Message}", reason);
}
