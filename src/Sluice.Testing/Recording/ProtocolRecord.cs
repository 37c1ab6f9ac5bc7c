using System.Net.Sockets;

namespace Sluice.Testing;

/// <summary>
/// What a transport did to one protocol: the callbacks in order, the bytes, and every breach of the contract. Filled by
/// <see cref="RecordingProtocol"/> and its siblings on the loop's thread.
/// </summary>
public sealed class ProtocolRecord
{
    private readonly CallbackLog _log = new();
    private bool _hasEnded;
    private byte[] _received = [];
    private int _receivedCount;
    private readonly ProtocolContract _contract;

    /// <summary>With nothing recorded yet.</summary>
    public ProtocolRecord() => _contract = new ProtocolContract((_, what) => Violate(what));

    /// <summary>
    /// The callbacks so far: "ConnectionMade", "DataReceived(5)", "EofReceived", "PauseWriting", "ResumeWriting", "DrainRequested" and
    /// "ConnectionLost(null)" or, for example, "ConnectionLost(SocketException ConnectionReset)".
    /// </summary>
    public IReadOnlyList<string> Trace => _log.Trace;

    /// <summary>The trace without the sizes of reads, which the network decides: runs of DataReceived count as one "DataReceived".</summary>
    public IReadOnlyList<string> Shape
    {
        get
        {
            var shape = new List<string>();
            foreach (var entry in _log.Trace)
            {
                var name = entry.StartsWith("DataReceived", StringComparison.Ordinal) ? "DataReceived" : entry;
                if (name != "DataReceived" || shape.Count == 0 || shape[^1] != name) shape.Add(name);
            }

            return shape;
        }
    }

    /// <summary>Breaches of the contract, in words. Empty unless the transport has a defect.</summary>
    public IReadOnlyList<string> Violations => _log.Violations;

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
    public Task Made => _log.Made;

    /// <summary>Done once ConnectionLost was called, with its exception as the result.</summary>
    public Task<Exception?> Lost => _log.Lost;

    /// <summary>Done once EofReceived was called. Fails if the connection is lost without it.</summary>
    public Task WaitForEofAsync() => _log.WaitFor(() => _hasEnded, () => LostTooSoon("the end of the stream"));

    /// <summary>Done once at least <paramref name="count"/> bytes have been received in all. Fails if the connection is lost before.</summary>
    /// <param name="count">How many bytes, counted from the start.</param>
    public Task WaitForBytesAsync(int count) => _log.WaitFor(() => _receivedCount >= count, () => LostTooSoon($"{count} bytes"));

    /// <summary>The trace in one line.</summary>
    public override string ToString() => _log.ToString();

    internal void ConnectionMade(IBaseTransport transport)
    {
        _log.Note("ConnectionMade");
        _contract.ConnectionMade(transport);
        _log.SetMade();
    }

    internal void DataReceived(ReadOnlySpan<byte> data)
    {
        _log.Note($"DataReceived({data.Length})");
        _contract.DataReceived(data.Length);
        Keep(data);
        _log.ReachMilestones();
    }

    internal void EofReceived()
    {
        _log.Note("EofReceived");
        _contract.EofReceived();
        _hasEnded = true;
        _log.ReachMilestones();
    }

    internal void PauseWriting()
    {
        _log.Note("PauseWriting");
        _contract.PauseWriting();
    }

    internal void ResumeWriting()
    {
        _log.Note("ResumeWriting");
        _contract.ResumeWriting();
    }

    internal void DrainRequested()
    {
        _log.Note("DrainRequested");
        _contract.DrainRequested();
    }

    internal void ConnectionLost(Exception? exception)
    {
        _log.Note($"ConnectionLost({Describe(exception)})");
        _contract.ConnectionLost();
        _log.SetLost(exception);
    }

    /// <summary>Marks the span of a callback, hook included.</summary>
    internal void Enter() => _contract.Enter();

    internal void Leave() => _contract.Leave();

    internal void Violate(string what) => _log.Violate(what);

    internal static string Describe(Exception? exception) => exception switch
    {
        null => "null",
        SocketException socket => $"SocketException {socket.SocketErrorCode}",
        _ => exception.GetType().Name,
    };

    private void Keep(ReadOnlySpan<byte> data)
    {
        if (_receivedCount + data.Length > _received.Length) Array.Resize(ref _received, Math.Max(_received.Length * 2, _receivedCount + data.Length));
        data.CopyTo(_received.AsSpan(_receivedCount));
        _receivedCount += data.Length;
    }

    private CheckFailedException LostTooSoon(string awaited) =>
        new($"the connection was lost before {awaited} came; {_receivedCount} bytes were received (trace: {this})");
}
