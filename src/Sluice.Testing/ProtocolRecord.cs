using System.Net.Sockets;

namespace Sluice.Testing;

/// <summary>
/// What a transport did to one protocol: the callbacks in order, the bytes, and every breach of the contract. Filled by
/// <see cref="RecordingProtocol"/> and <see cref="RecordingBufferedProtocol"/> on the loop's thread.
/// </summary>
public sealed class ProtocolRecord
{
    private readonly List<string> _trace = [];
    private readonly List<string> _violations = [];
    private readonly TaskCompletionSource _made = new();
    private readonly TaskCompletionSource<Exception?> _lost = new();
    private readonly TaskCompletionSource _eof = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> _byteMilestones = [];
    private byte[] _received = [];
    private int _receivedCount;
    private Stage _stage;
    private int _depth;

    private enum Stage
    {
        Unmade,
        Open,
        Ended,
        Lost,
    }

    /// <summary>
    /// The callbacks so far: "ConnectionMade", "DataReceived(5)", "EofReceived", "PauseWriting", "ResumeWriting", "DrainRequested" and
    /// "ConnectionLost(null)" or, for example, "ConnectionLost(SocketException ConnectionReset)".
    /// </summary>
    public IReadOnlyList<string> Trace => _trace;

    /// <summary>The trace without the sizes of reads, which the network decides: runs of DataReceived count as one "DataReceived".</summary>
    public IReadOnlyList<string> Shape
    {
        get
        {
            var shape = new List<string>();
            foreach (var entry in _trace)
            {
                var name = entry.StartsWith("DataReceived", StringComparison.Ordinal) ? "DataReceived" : entry;
                if (name != "DataReceived" || shape.Count == 0 || shape[^1] != name) shape.Add(name);
            }

            return shape;
        }
    }

    /// <summary>Breaches of the contract, in words. Empty unless the transport has a defect.</summary>
    public IReadOnlyList<string> Violations => _violations;

    /// <summary>All bytes so far. Good until more arrive.</summary>
    public ReadOnlySpan<byte> Received => _received.AsSpan(0, _receivedCount);

    internal bool HasEnded => _stage is Stage.Ended;

    /// <summary>The transport of ConnectionMade, or null before it.</summary>
    public ITransport? Transport { get; private set; }

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused { get; private set; }

    /// <summary>Done once ConnectionMade was called.</summary>
    public Task Made => _made.Task;

    /// <summary>Done once ConnectionLost was called, with its exception as the result.</summary>
    public Task<Exception?> Lost => _lost.Task;

    /// <summary>Done once EofReceived was called. Fails if the connection is lost without it.</summary>
    public Task WaitForEofAsync() => _eof.Task;

    /// <summary>Done once at least <paramref name="count"/> bytes have been received in all. Fails if the connection is lost before.</summary>
    /// <param name="count">How many bytes, counted from the start.</param>
    public Task WaitForBytesAsync(int count)
    {
        if (_receivedCount >= count) return Task.CompletedTask;
        if (_stage == Stage.Lost) return Task.FromException(LostTooSoon($"{count} bytes"));
        var reached = new TaskCompletionSource();
        _byteMilestones.Add((count, reached));
        return reached.Task;
    }

    /// <summary>The trace in one line.</summary>
    public override string ToString() => string.Join(", ", _trace);

    internal void ConnectionMade(ITransport transport)
    {
        Note("ConnectionMade");
        if (_stage != Stage.Unmade) Violate("ConnectionMade came twice");
        if (_stage == Stage.Unmade) _stage = Stage.Open;
        Transport = transport;
        Reach(() => _made.TrySetResult());
    }

    internal void DataReceived(ReadOnlySpan<byte> data)
    {
        Note($"DataReceived({data.Length})");
        if (data.IsEmpty) Violate("DataReceived brought no bytes");
        VerifyOpen("DataReceived");
        if (_stage == Stage.Ended) Violate("DataReceived came after EofReceived");
        if (_stage == Stage.Open && Transport is { IsReading: false }) Violate("DataReceived came while reading was paused or the transport was closing");
        Keep(data);
        foreach (var (count, reached) in _byteMilestones)
        {
            if (count <= _receivedCount) Reach(() => reached.TrySetResult());
        }

        _byteMilestones.RemoveAll(milestone => milestone.Count <= _receivedCount);
    }

    internal void EofReceived()
    {
        Note("EofReceived");
        VerifyOpen("EofReceived");
        if (_stage == Stage.Ended) Violate("EofReceived came twice");
        if (_stage == Stage.Open) _stage = Stage.Ended;
        Reach(() => _eof.TrySetResult());
    }

    internal void PauseWriting()
    {
        Note("PauseWriting");
        VerifyOpen("PauseWriting");
        if (IsWritingPaused) Violate("PauseWriting came twice without ResumeWriting");
        IsWritingPaused = true;
    }

    internal void ResumeWriting()
    {
        Note("ResumeWriting");
        VerifyOpen("ResumeWriting");
        if (!IsWritingPaused) Violate("ResumeWriting came without PauseWriting");
        IsWritingPaused = false;
    }

    internal void DrainRequested()
    {
        VerifyOpen("DrainRequested");
        if (_depth > 0) Violate("DrainRequested came inside another callback");
        if (_trace.Contains("DrainRequested")) Violate("DrainRequested came twice");
        if (Transport is { IsClosing: true }) Violate("DrainRequested came while the transport was closing");
        Note("DrainRequested");
    }

    internal void ConnectionLost(Exception? exception)
    {
        Note($"ConnectionLost({Describe(exception)})");
        if (_stage == Stage.Unmade) Violate("ConnectionLost came before ConnectionMade");
        if (_stage == Stage.Lost) Violate("ConnectionLost came twice");
        if (_depth > 0) Violate("ConnectionLost came inside another callback");
        if (_stage != Stage.Lost && Transport is { Protocol: null }) Violate("the transport forgot its protocol before ConnectionLost had returned");
        _stage = Stage.Lost;
        Reach(() =>
        {
            _eof.TrySetException(LostTooSoon("the end of the stream"));
            _ = _eof.Task.Exception;
            foreach (var (count, reached) in _byteMilestones) reached.TrySetException(LostTooSoon($"{count} bytes"));
            _byteMilestones.Clear();
            _lost.TrySetResult(exception);
        });
    }

    /// <summary>Marks the span of a callback, hook included: ConnectionLost must not come within.</summary>
    internal void Enter() => _depth++;

    internal void Leave() => _depth--;

    internal void Violate(string what) => _violations.Add($"{what} (trace: {this})");

    internal static string Describe(Exception? exception) => exception switch
    {
        null => "null",
        SocketException socket => $"SocketException {socket.SocketErrorCode}",
        _ => exception.GetType().Name,
    };

    /// <summary>
    /// Completes a milestone in a turn of its own, so that who awaits it does not run inside the callback. RunContinuationsAsynchronously would
    /// do that too, but sends those who combine milestones (Task.WhenAll) over the thread pool, where a simulation cannot follow.
    /// </summary>
    private static void Reach(Action complete)
    {
        if (SynchronizationContext.Current is { } loop) loop.Post(static action => ((Action)action!)(), complete);
        else complete();
    }

    private void Note(string entry) => _trace.Add(entry);

    private void VerifyOpen(string callback)
    {
        if (_stage == Stage.Unmade) Violate($"{callback} came before ConnectionMade");
        if (_stage == Stage.Lost) Violate($"{callback} came after ConnectionLost");
    }

    private void Keep(ReadOnlySpan<byte> data)
    {
        if (_receivedCount + data.Length > _received.Length) Array.Resize(ref _received, Math.Max(_received.Length * 2, _receivedCount + data.Length));
        data.CopyTo(_received.AsSpan(_receivedCount));
        _receivedCount += data.Length;
    }

    private CheckFailedException LostTooSoon(string awaited) =>
        new($"the connection was lost before {awaited} came; {_receivedCount} bytes were received (trace: {this})");
}
