using System.Net.Sockets;

namespace Sluice.Testing;

/// <summary>
/// What a transport did to one protocol: the callbacks in order, the bytes, and every breach of the contract. Filled by
/// <see cref="RecordingProtocol"/> and its siblings on the loop's thread.
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
    private readonly ProtocolContract _contract;

    /// <summary>With nothing recorded yet.</summary>
    public ProtocolRecord() => _contract = new ProtocolContract((_, what) => Violate(what));

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

    internal bool HasEnded => _contract.HasEnded;

    /// <summary>The transport of ConnectionMade, or null before it and where it goes only one way.</summary>
    public ITransport? Transport => _contract.Transport as ITransport;

    /// <summary>As <see cref="Transport"/>, for one that goes only one way too.</summary>
    internal IBaseTransport? AnyTransport => _contract.Transport;

    /// <summary>The protocol has been handed to another transport, which carries on its connection.</summary>
    internal void CarryOn(ITransport transport) => _contract.CarryOn(transport);

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused => _contract.IsWritingPaused;

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
        if (_contract.IsLost) return Task.FromException(LostTooSoon($"{count} bytes"));
        var reached = new TaskCompletionSource();
        _byteMilestones.Add((count, reached));
        return reached.Task;
    }

    /// <summary>The trace in one line.</summary>
    public override string ToString() => string.Join(", ", _trace);

    internal void ConnectionMade(IBaseTransport transport)
    {
        Note("ConnectionMade");
        _contract.ConnectionMade(transport);
        Reach(() => _made.TrySetResult());
    }

    internal void DataReceived(ReadOnlySpan<byte> data)
    {
        Note($"DataReceived({data.Length})");
        _contract.DataReceived(data.Length);
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
        _contract.EofReceived();
        Reach(() => _eof.TrySetResult());
    }

    internal void PauseWriting()
    {
        Note("PauseWriting");
        _contract.PauseWriting();
    }

    internal void ResumeWriting()
    {
        Note("ResumeWriting");
        _contract.ResumeWriting();
    }

    internal void DrainRequested()
    {
        Note("DrainRequested");
        _contract.DrainRequested();
    }

    internal void ConnectionLost(Exception? exception)
    {
        Note($"ConnectionLost({Describe(exception)})");
        _contract.ConnectionLost();
        Reach(() =>
        {
            _eof.TrySetException(LostTooSoon("the end of the stream"));
            _ = _eof.Task.Exception;
            foreach (var (count, reached) in _byteMilestones) reached.TrySetException(LostTooSoon($"{count} bytes"));
            _byteMilestones.Clear();
            _lost.TrySetResult(exception);
        });
    }

    /// <summary>Marks the span of a callback, hook included.</summary>
    internal void Enter() => _contract.Enter();

    internal void Leave() => _contract.Leave();

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
    internal static void Reach(Action complete)
    {
        if (SynchronizationContext.Current is { } loop) loop.Post(static action => ((Action)action!)(), complete);
        else complete();
    }

    private void Note(string entry) => _trace.Add(entry);

    private void Keep(ReadOnlySpan<byte> data)
    {
        if (_receivedCount + data.Length > _received.Length) Array.Resize(ref _received, Math.Max(_received.Length * 2, _receivedCount + data.Length));
        data.CopyTo(_received.AsSpan(_receivedCount));
        _receivedCount += data.Length;
    }

    private CheckFailedException LostTooSoon(string awaited) =>
        new($"the connection was lost before {awaited} came; {_receivedCount} bytes were received (trace: {this})");
}
