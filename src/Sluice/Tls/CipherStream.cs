using System.Buffers;
using System.Threading.Tasks.Sources;
using Sluice.Loop;

namespace Sluice.Tls;

/// <summary>
/// The stream below SslStream, in memory: it reads what the transport below has received and writes to that transport. Owned by its engine; every
/// call is on the loop's thread.
/// </summary>
/// <remarks>
/// A read that finds nothing waits in a value-task source that is completed inline, inside <see cref="Feed"/>: SslStream goes on in the very call that
/// brings the bytes, on this thread. That holds only while the thread has no SynchronizationContext, which the engine sees to.
/// </remarks>
internal sealed class CipherStream(LoopCore loop, ICipherOutput output) : Stream, IValueTaskSource<int>
{
    private ManualResetValueTaskSourceCore<int> _source;
    private Memory<byte> _target;
    private ReadOnlyMemory<byte> _input;
    private byte[]? _spill;
    private bool _isWaiting;
    private bool _hasEnded;

    /// <summary>Bytes that SslStream has not asked for yet.</summary>
    public bool HasInput => !_input.IsEmpty;

    /// <summary>
    /// SslStream has been told of the end of the stream. It answers a read with zero both then and after the peer's close_notify: this tells them
    /// apart.
    /// </summary>
    public bool HasReportedEnd { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Lends the bytes to SslStream, which may go on inside. What it leaves is lent until <see cref="KeepRest"/>.</summary>
    public void Feed(ReadOnlyMemory<byte> data)
    {
        loop.VerifyThread();
        if (_input.IsEmpty) _input = data;
        else Spill(data);
        Answer();
    }

    /// <summary>No more comes behind what was fed.</summary>
    public void FeedEnd()
    {
        loop.VerifyThread();
        _hasEnded = true;
        Answer();
    }

    /// <summary>Copies what SslStream has left of the lent bytes: their memory is about to be used anew.</summary>
    public void KeepRest()
    {
        if (!_input.IsEmpty && _spill is null) Spill(default);
    }

    /// <summary>Nothing will be fed any more: a read that waits ends, so that SslStream lets its buffers go.</summary>
    public void Abandon()
    {
        _input = default;
        ReturnSpill();
        FeedEnd();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        loop.VerifyThread();
        if (!_input.IsEmpty) return new ValueTask<int>(Take(buffer));
        if (_hasEnded) return new ValueTask<int>(ReportEnd(buffer));
        _target = buffer;
        _isWaiting = true;
        _source.Reset();
        return new ValueTask<int>(this, _source.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        loop.VerifyThread();
        output.Send(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>Completes the read that waits, if there is one. SslStream goes on inside.</summary>
    private void Answer()
    {
        if (!_isWaiting) return;
        _isWaiting = false;
        var target = _target;
        _target = default;
        _source.SetResult(_input.IsEmpty ? ReportEnd(target) : Take(target));
    }

    /// <summary>A read of no bytes only waits for some: SslStream does that before it takes a buffer.</summary>
    private int Take(Memory<byte> target)
    {
        var taken = Math.Min(target.Length, _input.Length);
        _input[..taken].CopyTo(target);
        _input = _input[taken..];
        if (_input.IsEmpty) ReturnSpill();
        return taken;
    }

    private int ReportEnd(Memory<byte> target)
    {
        if (!target.IsEmpty) HasReportedEnd = true;
        return 0;
    }

    private void Spill(ReadOnlyMemory<byte> more)
    {
        var spill = ArrayPool<byte>.Shared.Rent(_input.Length + more.Length);
        _input.CopyTo(spill);
        more.CopyTo(spill.AsMemory(_input.Length));
        _input = spill.AsMemory(0, _input.Length + more.Length);
        ReturnSpill();
        _spill = spill;
    }

    private void ReturnSpill()
    {
        if (_spill is not null) ArrayPool<byte>.Shared.Return(_spill);
        _spill = null;
    }
}

/// <summary>Where a <see cref="CipherStream"/> writes: the transport below.</summary>
internal interface ICipherOutput
{
    /// <summary>Takes the bytes at once, whatever waits already.</summary>
    void Send(ReadOnlySpan<byte> data);
}
