namespace Sluice.Testing;

/// <summary>
/// A protocol that records what its transport does, watches over the contract, and lets a test act in every callback through a hook.
/// </summary>
/// <remarks>The record is made before the hook runs; what a hook throws goes to the transport, as a protocol's own exception would.</remarks>
public sealed class RecordingProtocol : Protocol
{
    /// <summary>What happened so far.</summary>
    public ProtocolRecord Record { get; } = new();

    /// <summary>Runs in ConnectionMade.</summary>
    public Action<ITransport>? OnMade { get; set; }

    /// <summary>Runs in DataReceived.</summary>
    public DataHook? OnData { get; set; }

    /// <summary>Runs in EofReceived and gives its answer. Null answers false: the transport closes.</summary>
    public Func<bool>? OnEof { get; set; }

    /// <summary>Runs in PauseWriting.</summary>
    public Action? OnPause { get; set; }

    /// <summary>Runs in ResumeWriting.</summary>
    public Action? OnResume { get; set; }

    /// <summary>Runs in DrainRequested.</summary>
    public Action? OnDrain { get; set; }

    /// <summary>Runs in ConnectionLost.</summary>
    public Action<Exception?>? OnLost { get; set; }

    /// <summary>The transport, once the connection is made.</summary>
    public ITransport Transport => Record.Transport ?? throw new InvalidOperationException("The connection is not made yet.");

    /// <inheritdoc cref="ProtocolRecord.Trace"/>
    public IReadOnlyList<string> Trace => Record.Trace;

    /// <inheritdoc cref="ProtocolRecord.Received"/>
    public ReadOnlySpan<byte> Received => Record.Received;

    /// <inheritdoc cref="ProtocolRecord.Violations"/>
    public IReadOnlyList<string> Violations => Record.Violations;

    /// <inheritdoc cref="ProtocolRecord.Made"/>
    public Task Made => Record.Made;

    /// <inheritdoc cref="ProtocolRecord.Lost"/>
    public Task<Exception?> Lost => Record.Lost;

    /// <summary>A protocol that sends back what it receives.</summary>
    public static RecordingProtocol Echo()
    {
        var protocol = new RecordingProtocol();
        protocol.OnData = data => protocol.Transport.Write(data);
        return protocol;
    }

    /// <inheritdoc cref="ProtocolRecord.WaitForBytesAsync"/>
    public Task WaitForBytesAsync(int count) => Record.WaitForBytesAsync(count);

    /// <inheritdoc cref="ProtocolRecord.WaitForEofAsync"/>
    public Task WaitForEofAsync() => Record.WaitForEofAsync();

    /// <inheritdoc/>
    public override void ConnectionMade(ITransport transport)
    {
        Record.ConnectionMade(transport);
        using var span = new CallbackSpan(Record);
        OnMade?.Invoke(transport);
    }

    /// <inheritdoc/>
    public override void DataReceived(ReadOnlySpan<byte> data)
    {
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
    public override void PauseWriting()
    {
        Record.PauseWriting();
        using var span = new CallbackSpan(Record);
        OnPause?.Invoke();
    }

    /// <inheritdoc/>
    public override void ResumeWriting()
    {
        Record.ResumeWriting();
        using var span = new CallbackSpan(Record);
        OnResume?.Invoke();
    }

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
