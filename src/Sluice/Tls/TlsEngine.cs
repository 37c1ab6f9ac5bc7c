using System.Diagnostics;
using System.Net.Security;
using Sluice.Loop;

namespace Sluice.Tls;

/// <summary>
/// TLS as bytes in, plaintext out, and the other way round: the only place that calls SslStream. Owned by its channel; lives on the loop's thread.
/// </summary>
/// <remarks>
/// SslStream's methods are asynchronous. Here each of them either completes within the call, or waits for bytes and completes within <see cref="Feed"/>: nothing is
/// ever awaited, the state of a task is looked at instead. That needs a thread without SynchronizationContext, or SslStream's own awaits would hop to the thread
/// pool; so each entry takes it off, and what calls users inside (certificate callbacks) puts it back.
/// </remarks>
internal sealed class TlsEngine : IDisposable
{
    /// <summary>With less room than this in the buffer what was read is handed out first.</summary>
    private const int LeastRoom = 4096;

    private readonly CipherStream _cipher;
    private readonly TlsWorkspace _space;
    private Task _handshake = Task.CompletedTask;
    private ValueTask<int> _read;
    private bool _isReadPending;
    private int _readOffset;
    private int _depth;
    private bool _isDisposed;
    private bool _isReleased;

    public TlsEngine(LoopCore loop, TlsWorkspace space, ICipherOutput output)
    {
        _space = space;
        _cipher = new CipherStream(loop, output);
        Stream = new SslStream(_cipher, leaveInnerStreamOpen: true);
    }

    public SslStream Stream { get; }

    /// <summary>SslStream is at work on this stack, perhaps in a callback of the user's: it must not be called again.</summary>
    public bool IsBusy => _depth > 0;

    /// <summary>Bytes were fed that SslStream has not taken yet.</summary>
    public bool HasInput => _cipher.HasInput;

    public bool IsHandshakeDone => _handshake.IsCompleted;

    /// <summary>Why the handshake failed, or null.</summary>
    public Exception? HandshakeFailure => _handshake.Exception?.InnerException;

    /// <summary>Why <see cref="Read"/> said that it failed.</summary>
    public Exception? ReadFailure { get; private set; }

    public void BeginHandshake(TlsRole role)
    {
        using var entry = new Entry(this);
        try
        {
            _handshake = role.AuthenticateAsync(Stream);
        }
        catch (Exception exception)
        {
            _handshake = Task.FromException(exception);
        }
    }

    /// <summary>Brings bytes from below: a handshake goes on inside. They are lent until <see cref="KeepRest"/>.</summary>
    public void Feed(ReadOnlyMemory<byte> data)
    {
        using var entry = new Entry(this);
        _cipher.Feed(data);
    }

    public void FeedEnd()
    {
        using var entry = new Entry(this);
        _cipher.FeedEnd();
    }

    /// <summary>The memory that was fed is about to be used anew.</summary>
    public void KeepRest() => _cipher.KeepRest();

    /// <summary>
    /// Decrypts what has been fed: as many records as there are, joined, up to the size of the buffer. The bytes are good until the next call on any engine with
    /// this workspace.
    /// </summary>
    public ReadOnlySpan<byte> Read(out TlsReadOutcome outcome)
    {
        using var entry = new Entry(this);
        var buffer = _space.Plaintext;
        if (!_isReadPending) _readOffset = 0;
        var start = _readOffset;
        while (true)
        {
            outcome = ReadRecord(buffer, out var count);
            _readOffset += count;
            if (outcome != TlsReadOutcome.More || buffer.Length - _readOffset < LeastRoom) return buffer.AsSpan(start, _readOffset - start);
        }
    }

    /// <summary>Encrypts the bytes and sends them.</summary>
    /// <returns>What went wrong, or null.</returns>
    public Exception? Write(ReadOnlyMemory<byte> data)
    {
        using var entry = new Entry(this);
        try
        {
            Complete(Stream.WriteAsync(data));
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    /// <summary>Sends the close_notify.</summary>
    public Exception? Shutdown()
    {
        using var entry = new Entry(this);
        try
        {
            Complete(new ValueTask(Stream.ShutdownAsync()));
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    /// <summary>Lets SslStream go, once it is not at work any more.</summary>
    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        if (!IsBusy) Release();
    }

    private TlsReadOutcome ReadRecord(byte[] buffer, out int count)
    {
        count = 0;
        try
        {
#pragma warning disable CA2012 // Asked for its result once, when it has completed: here or after a later Feed.
            if (!_isReadPending) _read = Stream.ReadAsync(buffer.AsMemory(_readOffset));
#pragma warning restore CA2012
            _isReadPending = !_read.IsCompleted;
            if (_isReadPending) return TlsReadOutcome.Blocked;
            count = _read.GetAwaiter().GetResult();
            if (count > 0) return TlsReadOutcome.More;
            return _cipher.HasReportedEnd ? TlsReadOutcome.Truncated : TlsReadOutcome.Ended;
        }
        catch (Exception exception)
        {
            ReadFailure = exception;
            return _cipher.HasReportedEnd ? TlsReadOutcome.Truncated : TlsReadOutcome.Failed;
        }
    }

    private static void Complete(ValueTask task)
    {
        Debug.Assert(task.IsCompleted, "a write to memory did not complete within its call");
        task.GetAwaiter().GetResult();
    }

    private void Release()
    {
        _isReleased = true;
        using (var entry = new Entry(this))
        {
            _cipher.Abandon();
            Stream.Dispose();
        }

        // Observed, so that the runtime does not report it as unobserved.
        _ = _handshake.Exception;
        if (_isReadPending && _read.IsCompleted) ReadRecord([], out _);
    }

    /// <summary>The span of a call to SslStream.</summary>
    private readonly ref struct Entry
    {
        private readonly TlsEngine _engine;
        private readonly SynchronizationContext? _context;

        public Entry(TlsEngine engine)
        {
            _engine = engine;
            _context = SynchronizationContext.Current;
            engine._depth++;
            SynchronizationContext.SetSynchronizationContext(null);
        }

        public void Dispose()
        {
            SynchronizationContext.SetSynchronizationContext(_context);
            if (--_engine._depth == 0 && _engine._isDisposed && !_engine._isReleased) _engine.Release();
        }
    }
}

/// <summary>How a read of an engine ended, behind the bytes that it gave.</summary>
internal enum TlsReadOutcome
{
    /// <summary>There may be more.</summary>
    More,

    /// <summary>All that was fed has been read.</summary>
    Blocked,

    /// <summary>The peer has said goodbye.</summary>
    Ended,

    /// <summary>The connection below ended, and the peer has not said goodbye.</summary>
    Truncated,

    /// <summary>What came is no TLS, or has been tampered with.</summary>
    Failed,
}
