namespace Sluice.Testing;

/// <summary>The two ends of one connection, both on the stage's loop.</summary>
public sealed class StreamPair
{
    private readonly BaseProtocol _clientProtocol;
    private readonly BaseProtocol _serverProtocol;

    internal StreamPair(ITransport client, BaseProtocol clientProtocol, ITransport server, BaseProtocol serverProtocol)
    {
        Client = client;
        Server = server;
        _clientProtocol = clientProtocol;
        _serverProtocol = serverProtocol;
    }

    /// <summary>The end that connected.</summary>
    public ITransport Client { get; }

    /// <summary>The end that was accepted.</summary>
    public ITransport Server { get; }

    /// <summary>The client's protocol, where it is a recording one: the default.</summary>
    public RecordingProtocol ClientProtocol => (RecordingProtocol)_clientProtocol;

    /// <summary>The server's protocol, where it is a recording one: the default.</summary>
    public RecordingProtocol ServerProtocol => (RecordingProtocol)_serverProtocol;

    /// <summary>What happened to the client's protocol, recording plain or buffered.</summary>
    public ProtocolRecord ClientRecord => CheckStage.RecordOf(_clientProtocol) ?? throw new InvalidOperationException("The client's protocol records nothing.");

    /// <summary>What happened to the server's protocol, recording plain or buffered.</summary>
    public ProtocolRecord ServerRecord => CheckStage.RecordOf(_serverProtocol) ?? throw new InvalidOperationException("The server's protocol records nothing.");

    /// <summary>Closes both ends and waits until both protocols have been told.</summary>
    public async Task CloseAsync()
    {
        Client.Close();
        Server.Close();
        await ClientRecord.Lost;
        await ServerRecord.Lost;
    }
}
