namespace Sluice.Testing;

/// <summary>As <see cref="RecordingProtocol"/>, for a transport that only sends.</summary>
public sealed class RecordingWriteProtocol : WriteProtocol
{
    /// <summary>What happened so far.</summary>
    public ProtocolRecord Record { get; } = new();

    /// <summary>Runs in ConnectionMade.</summary>
    public Action<IWriteTransport>? OnMade { get; set; }

    /// <summary>Runs in PauseWriting.</summary>
    public Action? OnPause { get; set; }

    /// <summary>Runs in ResumeWriting.</summary>
    public Action? OnResume { get; set; }

    /// <summary>Runs in ConnectionLost.</summary>
    public Action<Exception?>? OnLost { get; set; }

    /// <summary>The transport, once the connection is made.</summary>
    public IWriteTransport Transport =>
        (IWriteTransport?)Record.AnyTransport ?? throw new InvalidOperationException("The connection is not made yet.");

    /// <inheritdoc/>
    public override void ConnectionMade(IWriteTransport transport)
    {
        Record.ConnectionMade(transport);
        using var span = new CallbackSpan(Record);
        OnMade?.Invoke(transport);
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
    public override void ConnectionLost(Exception? exception)
    {
        Record.ConnectionLost(exception);
        OnLost?.Invoke(exception);
    }
}
