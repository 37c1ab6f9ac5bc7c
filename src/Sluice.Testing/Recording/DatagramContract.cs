namespace Sluice.Testing;

/// <summary>
/// The judge of what a datagram transport may do to its protocol: made once and first, lost once and last, in turns of their own, pauses that
/// alternate, nothing received once it closes. Owned by who stands in for the protocol, who tells it of each callback before it acts.
/// </summary>
/// <param name="violate">Told of every breach: the rule, and what happened in words.</param>
internal sealed class DatagramContract(Action<ContractRule, string> violate)
{
    private Stage _stage;
    private int _depth;

    private enum Stage
    {
        Unmade,
        Open,
        Lost,
    }

    /// <summary>The transport of ConnectionMade, or null before it.</summary>
    public IDatagramTransport? Transport { get; private set; }

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused { get; private set; }

    public bool IsMade => _stage != Stage.Unmade;

    public bool IsLost => _stage == Stage.Lost;

    public void ConnectionMade(IDatagramTransport transport)
    {
        if (_stage != Stage.Unmade) violate(ContractRule.Lifecycle, "ConnectionMade came twice");
        if (_stage == Stage.Unmade) _stage = Stage.Open;
        VerifyOutermost("ConnectionMade");
        Transport = transport;
    }

    public void DatagramReceived()
    {
        VerifyOpen("DatagramReceived");
        VerifyOutermost("DatagramReceived");
        if (Transport is { IsClosing: true }) violate(ContractRule.Paused, "DatagramReceived came while the transport was closing");
    }

    /// <summary>It comes in a send too, within whatever callback that was.</summary>
    public void ErrorReceived()
    {
        VerifyOpen("ErrorReceived");
        if (Transport is { IsClosing: true }) violate(ContractRule.Flow, "ErrorReceived came while the transport was closing");
    }

    public void PauseWriting()
    {
        VerifyOpen("PauseWriting");
        if (IsWritingPaused) violate(ContractRule.Flow, "PauseWriting came twice without ResumeWriting");
        if (Transport is { IsClosing: true }) violate(ContractRule.Flow, "PauseWriting came while the transport was closing");
        IsWritingPaused = true;
    }

    public void ResumeWriting()
    {
        VerifyOpen("ResumeWriting");
        if (!IsWritingPaused) violate(ContractRule.Flow, "ResumeWriting came without PauseWriting");
        if (Transport is { IsClosing: true }) violate(ContractRule.Flow, "ResumeWriting came while the transport was closing");
        IsWritingPaused = false;
    }

    public void ConnectionLost()
    {
        if (_stage == Stage.Unmade) violate(ContractRule.Lifecycle, "ConnectionLost came before ConnectionMade");
        if (_stage == Stage.Lost) violate(ContractRule.Lifecycle, "ConnectionLost came twice");
        VerifyOutermost("ConnectionLost");
        if (_stage != Stage.Lost && Transport is { Protocol: null }) violate(ContractRule.Lifecycle, "the transport forgot its protocol before ConnectionLost had returned");
        _stage = Stage.Lost;
    }

    /// <summary>Marks the span of a callback, all that it calls included.</summary>
    public void Enter() => _depth++;

    public void Leave() => _depth--;

    private void VerifyOpen(string callback)
    {
        if (_stage == Stage.Unmade) violate(ContractRule.Lifecycle, $"{callback} came before ConnectionMade");
        if (_stage == Stage.Lost) violate(ContractRule.Reentrancy, $"{callback} came after ConnectionLost");
    }

    private void VerifyOutermost(string callback)
    {
        if (_depth > 0) violate(ContractRule.Reentrancy, $"{callback} came inside another callback");
    }
}
