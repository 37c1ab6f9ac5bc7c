namespace Sluice.Testing;

/// <summary>As <see cref="RecordingProtocol"/>, for a transport that only receives.</summary>
public sealed class RecordingReadProtocol : ReadProtocol
{
    /// <summary>What happened so far.</summary>
    public ProtocolRecord Record { get; } = new();

    /// <summary>Runs in ConnectionMade.</summary>
    public Action<IReadTransport>? OnMade { get; set; }

    /// <summary>Runs in DataReceived.</summary>
    public DataHook? OnData { get; set; }

    /// <summary>Runs in EofReceived and gives its answer. Null answers false.</summary>
    public Func<bool>? OnEof { get; set; }

    /// <summary>Runs in ConnectionLost.</summary>
    public Action<Exception?>? OnLost { get; set; }

    /// <summary>The transport, once the connection is made.</summary>
    public IReadTransport Transport =>
        (IReadTransport?)Record.AnyTransport ?? throw new InvalidOperationException("The connection is not made yet.");

    /// <inheritdoc/>
    public override void ConnectionMade(IReadTransport transport)
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
    public override void ConnectionLost(Exception? exception)
    {
        Record.ConnectionLost(exception);
        OnLost?.Invoke(exception);
    }
}
