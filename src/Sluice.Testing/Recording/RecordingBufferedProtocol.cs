namespace Sluice.Testing;

/// <summary>As <see cref="RecordingProtocol"/>, for a protocol that owns its receive buffer. Bytes are recorded as "DataReceived(n)".</summary>
public sealed class RecordingBufferedProtocol : BufferedProtocol
{
    private Memory<byte> _lent;

    /// <summary>With a buffer of the given size, used anew for each read.</summary>
    /// <param name="bufferSize">The size in bytes.</param>
    public RecordingBufferedProtocol(int bufferSize = 64 * 1024) => Buffer = new byte[bufferSize];

    /// <summary>What happened so far.</summary>
    public ProtocolRecord Record { get; } = new();

    /// <summary>What GetBuffer gives where <see cref="OnGetBuffer"/> is null.</summary>
    public byte[] Buffer { get; }

    /// <summary>How often GetBuffer was called, with or without bytes after it.</summary>
    public int BufferRequests { get; private set; }

    /// <summary>Runs in ConnectionMade.</summary>
    public Action<ITransport>? OnMade { get; set; }

    /// <summary>Gives the buffer instead of <see cref="Buffer"/>.</summary>
    public Func<int, Memory<byte>>? OnGetBuffer { get; set; }

    /// <summary>Runs in BufferUpdated, with the bytes.</summary>
    public DataHook? OnData { get; set; }

    /// <summary>Runs in EofReceived and gives its answer. Null answers false: the transport closes.</summary>
    public Func<bool>? OnEof { get; set; }

    /// <summary>Runs in DrainRequested.</summary>
    public Action? OnDrain { get; set; }

    /// <summary>Runs in ConnectionLost.</summary>
    public Action<Exception?>? OnLost { get; set; }

    /// <inheritdoc/>
    public override void ConnectionMade(ITransport transport)
    {
        Record.ConnectionMade(transport);
        using var span = new CallbackSpan(Record);
        OnMade?.Invoke(transport);
    }

    /// <inheritdoc/>
    public override Memory<byte> GetBuffer(int sizeHint)
    {
        BufferRequests++;
        if (Record.HasEnded) Record.Violate("GetBuffer came after EofReceived");
        using var span = new CallbackSpan(Record);
        return _lent = OnGetBuffer is { } give ? give(sizeHint) : Buffer;
    }

    /// <inheritdoc/>
    public override void BufferUpdated(int count)
    {
        if (count > _lent.Length) Record.Violate($"BufferUpdated({count}) came for a buffer of {_lent.Length} bytes");
        var data = _lent.Span[..Math.Clamp(count, 0, _lent.Length)];
        Record.DataReceived(data);
        using var span = new CallbackSpan(Record);
        OnData?.Invoke(data);
    }

    /// <inheritdoc/>
    public override bool EofReceived()
    {
        Record.EofReceived();
        using var span = new CallbackSpan(Record);
        return OnEof?.Invoke() ?? false;
    }

    /// <inheritdoc/>
    public override void PauseWriting() => Record.PauseWriting();

    /// <inheritdoc/>
    public override void ResumeWriting() => Record.ResumeWriting();

    /// <inheritdoc/>
    public override void DrainRequested()
    {
        Record.DrainRequested();
        using var span = new CallbackSpan(Record);
        OnDrain?.Invoke();
    }

    /// <inheritdoc/>
    public override void ConnectionLost(Exception? exception)
    {
        Record.ConnectionLost(exception);
        OnLost?.Invoke(exception);
    }
}
