using System.Net;

namespace Sluice.Testing;

/// <summary>
/// A datagram protocol that records what its transport does, watches over the contract, and lets a test act in every callback through a hook.
/// </summary>
/// <remarks>The record is made before the hook runs; what a hook throws goes to the transport, as a protocol's own exception would.</remarks>
public sealed class RecordingDatagramProtocol : DatagramProtocol
{
    private readonly CallbackLog _log = new();
    private readonly List<RecordedDatagram> _datagrams = [];
    private readonly List<Exception> _errors = [];
    private readonly DatagramContract _contract;

    /// <summary>With nothing recorded yet.</summary>
    public RecordingDatagramProtocol() => _contract = new DatagramContract((_, what) => _log.Violate(what));

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
    public IReadOnlyList<string> Trace => _log.Trace;

    /// <summary>The datagrams so far, in the order in which they came.</summary>
    public IReadOnlyList<RecordedDatagram> Datagrams => _datagrams;

    /// <summary>What ErrorReceived was told so far.</summary>
    public IReadOnlyList<Exception> Errors => _errors;

    /// <summary>Breaches of the contract, in words. Empty unless the transport has a defect.</summary>
    public IReadOnlyList<string> Violations => _log.Violations;

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused => _contract.IsWritingPaused;

    /// <summary>Done once ConnectionMade was called.</summary>
    public Task Made => _log.Made;

    /// <summary>Done once ConnectionLost was called, with its exception as the result.</summary>
    public Task<Exception?> Lost => _log.Lost;

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
        _log.Note("ConnectionMade");
        _contract.ConnectionMade(transport);
        _log.SetMade();
        using var span = new Span(_contract);
        OnMade?.Invoke(transport);
    }

    /// <inheritdoc/>
    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
        _log.Note($"DatagramReceived({data.Length})");
        _contract.DatagramReceived();
        _datagrams.Add(new RecordedDatagram(data.ToArray(), address));
        _log.ReachMilestones();
        using var span = new Span(_contract);
        OnDatagram?.Invoke(data, address);
    }

    /// <inheritdoc/>
    public override void ErrorReceived(Exception exception)
    {
        _log.Note($"ErrorReceived({ProtocolRecord.Describe(exception)})");
        _contract.ErrorReceived();
        _errors.Add(exception);
        _log.ReachMilestones();
        using var span = new Span(_contract);
        OnError?.Invoke(exception);
    }

    /// <inheritdoc/>
    public override void PauseWriting()
    {
        _log.Note("PauseWriting");
        _contract.PauseWriting();
        using var span = new Span(_contract);
        OnPause?.Invoke();
    }

    /// <inheritdoc/>
    public override void ResumeWriting()
    {
        _log.Note("ResumeWriting");
        _contract.ResumeWriting();
        using var span = new Span(_contract);
        OnResume?.Invoke();
    }

    /// <inheritdoc/>
    public override void ConnectionLost(Exception? exception)
    {
        _log.Note($"ConnectionLost({ProtocolRecord.Describe(exception)})");
        _contract.ConnectionLost();
        _log.SetLost(exception);
        OnLost?.Invoke(exception);
    }

    /// <inheritdoc/>
    public override string ToString() => _log.ToString();

    private Task WaitForAsync(int count, IReadOnlyCollection<object> what) => _log.WaitFor(() => what.Count >= count, () => LostTooSoon(count));

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
