using System.Net;

namespace Sluice.Testing;

/// <summary>
/// A datagram protocol that records what its transport does, watches over the contract, and lets a test act in every callback through a hook.
/// </summary>
/// <remarks>The record is made before the hook runs; what a hook throws goes to the transport, as a protocol's own exception would.</remarks>
public sealed class RecordingDatagramProtocol : DatagramProtocol
{
    private readonly List<string> _trace = [];
    private readonly List<string> _violations = [];
    private readonly List<RecordedDatagram> _datagrams = [];
    private readonly List<Exception> _errors = [];
    private readonly List<(int Count, IReadOnlyCollection<object> Of, TaskCompletionSource Reached)> _milestones = [];
    private readonly TaskCompletionSource _made = new();
    private readonly TaskCompletionSource<Exception?> _lost = new();
    private readonly DatagramContract _contract;

    /// <summary>With nothing recorded yet.</summary>
    public RecordingDatagramProtocol() => _contract = new DatagramContract((_, what) => _violations.Add($"{what} (trace: {this})"));

    /// <summary>Runs in ConnectionMade.</summary>
    public Action<IDatagramTransport>? OnMade { get; set; }

    /// <summary>Runs in DatagramReceived.</summary>
    public DatagramHook? OnDatagram { get; set; }

    /// <summary>Runs in ErrorReceived.</summary>
    public Action<Exception>? OnError { get; set; }

    /// <summary>Runs in PauseWriting.</summary>
    public Action? OnPause { get; set; }

    /// <summary>Runs in ResumeWriting.</summary>
    public Action? OnResume { get; set; }

    /// <summary>Runs in ConnectionLost.</summary>
    public Action<Exception?>? OnLost { get; set; }

    /// <summary>The transport, once the endpoint is made.</summary>
    public IDatagramTransport Transport => MadeTransport ?? throw new InvalidOperationException("The endpoint is not made yet.");

    /// <summary>
    /// The callbacks so far: "ConnectionMade", "DatagramReceived(5)", "ErrorReceived(SocketException ConnectionRefused)", "PauseWriting", "ResumeWriting" and
    /// "ConnectionLost(null)" or, for example, "ConnectionLost(InvalidOperationException)".
    /// </summary>
    public IReadOnlyList<string> Trace => _trace;

    /// <summary>The datagrams so far, in the order in which they came.</summary>
    public IReadOnlyList<RecordedDatagram> Datagrams => _datagrams;

    /// <summary>What ErrorReceived was told so far.</summary>
    public IReadOnlyList<Exception> Errors => _errors;

    /// <summary>Breaches of the contract, in words. Empty unless the transport has a defect.</summary>
    public IReadOnlyList<string> Violations => _violations;

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused => _contract.IsWritingPaused;

    /// <summary>Done once ConnectionMade was called.</summary>
    public Task Made => _made.Task;

    /// <summary>Done once ConnectionLost was called, with its exception as the result.</summary>
    public Task<Exception?> Lost => _lost.Task;

    internal IDatagramTransport? MadeTransport => _contract.Transport;

    /// <summary>A protocol that sends each datagram back to its sender.</summary>
    public static RecordingDatagramProtocol Echo()
    {
        var protocol = new RecordingDatagramProtocol();
        protocol.OnDatagram = (data, address) => protocol.Transport.SendTo(data, address);
        return protocol;
    }

    /// <summary>Done once at least so many datagrams have been received in all. Fails if the endpoint is lost before.</summary>
    /// <param name="count">How many, counted from the start.</param>
    public Task WaitForDatagramsAsync(int count) => WaitForAsync(count, _datagrams);

    /// <summary>Done once ErrorReceived was called at least so often in all. Fails if the endpoint is lost before.</summary>
    /// <param name="count">How often, counted from the start.</param>
    public Task WaitForErrorsAsync(int count) => WaitForAsync(count, _errors);

    /// <inheritdoc/>
    public override void ConnectionMade(IDatagramTransport transport)
    {
        _trace.Add("ConnectionMade");
        _contract.ConnectionMade(transport);
        ProtocolRecord.Reach(() => _made.TrySetResult());
        using var span = new Span(_contract);
        OnMade?.Invoke(transport);
    }

    /// <inheritdoc/>
    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
        _trace.Add($"DatagramReceived({data.Length})");
        _contract.DatagramReceived();
        _datagrams.Add(new RecordedDatagram(data.ToArray(), address));
        ReachMilestones();
        using var span = new Span(_contract);
        OnDatagram?.Invoke(data, address);
    }

    /// <inheritdoc/>
    public override void ErrorReceived(Exception exception)
    {
        _trace.Add($"ErrorReceived({ProtocolRecord.Describe(exception)})");
        _contract.ErrorReceived();
        _errors.Add(exception);
        ReachMilestones();
        using var span = new Span(_contract);
        OnError?.Invoke(exception);
    }

    /// <inheritdoc/>
    public override void PauseWriting()
    {
        _trace.Add("PauseWriting");
        _contract.PauseWriting();
        using var span = new Span(_contract);
        OnPause?.Invoke();
    }

    /// <inheritdoc/>
    public override void ResumeWriting()
    {
        _trace.Add("ResumeWriting");
        _contract.ResumeWriting();
        using var span = new Span(_contract);
        OnResume?.Invoke();
    }

    /// <inheritdoc/>
    public override void ConnectionLost(Exception? exception)
    {
        _trace.Add($"ConnectionLost({ProtocolRecord.Describe(exception)})");
        _contract.ConnectionLost();
        ProtocolRecord.Reach(() =>
        {
            foreach (var (count, _, reached) in _milestones) reached.TrySetException(LostTooSoon(count));
            _milestones.Clear();
            _lost.TrySetResult(exception);
        });
        OnLost?.Invoke(exception);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _trace);

    private Task WaitForAsync(int count, IReadOnlyCollection<object> what)
    {
        if (what.Count >= count) return Task.CompletedTask;
        if (_contract.IsLost) return Task.FromException(LostTooSoon(count));
        var reached = new TaskCompletionSource();
        _milestones.Add((count, what, reached));
        return reached.Task;
    }

    private void ReachMilestones()
    {
        foreach (var (count, of, reached) in _milestones)
        {
            if (count <= of.Count) ProtocolRecord.Reach(() => reached.TrySetResult());
        }

        _milestones.RemoveAll(static milestone => milestone.Count <= milestone.Of.Count);
    }

    private CheckFailedException LostTooSoon(int count) =>
        new($"the endpoint was lost before there were {count}; it got {_datagrams.Count} datagrams and {_errors.Count} errors (trace: {this})");

    /// <summary>The span of one callback, during which few others may come.</summary>
    private readonly ref struct Span
    {
        private readonly DatagramContract _contract;

        public Span(DatagramContract contract)
        {
            _contract = contract;
            contract.Enter();
        }

        public void Dispose() => _contract.Leave();
    }
}
