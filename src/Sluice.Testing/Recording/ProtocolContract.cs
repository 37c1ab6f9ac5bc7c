namespace Sluice.Testing;

/// <summary>
/// The judge of what a transport may do to its protocol: made once and first, lost once and last, in turns of their own, pauses that alternate,
/// no data while nobody reads. Owned by who stands in for the protocol, who tells it of each callback before it acts.
/// </summary>
/// <param name="violate">Told of every breach: the rule, and what happened in words.</param>
internal sealed class ProtocolContract(Action<ContractRule, string> violate)
{
    private Stage _stage;
    private int _depth;
    private bool _isDrained;

    private enum Stage
    {
        Unmade,
        Open,
        Ended,
        Lost,
    }

    /// <summary>The transport of ConnectionMade, or null before it.</summary>
    public IBaseTransport? Transport { get; private set; }

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused { get; private set; }

    public bool IsMade => _stage != Stage.Unmade;

    public bool HasEnded => _stage == Stage.Ended;

    public bool IsLost => _stage == Stage.Lost;

    public void ConnectionMade(IBaseTransport transport)
    {
        if (_stage != Stage.Unmade) violate(ContractRule.Lifecycle, "ConnectionMade came twice");
        if (_stage == Stage.Unmade) _stage = Stage.Open;
        VerifyOutermost("ConnectionMade");
        Transport = transport;
    }

    public void CarryOn(ITransport transport) => Transport = transport;

    public void DataReceived(int count)
    {
        if (count == 0) violate(ContractRule.Empty, "DataReceived brought no bytes");
        VerifyReading("DataReceived");
    }

    public void GetBuffer() => VerifyReading("GetBuffer");

    public void BufferUpdated(int count)
    {
        if (count <= 0) violate(ContractRule.Empty, "BufferUpdated brought no bytes");
        VerifyReading("BufferUpdated");
    }

    public void EofReceived()
    {
        VerifyOpen("EofReceived");
        VerifyOutermost("EofReceived");
        if (_stage == Stage.Ended) violate(ContractRule.End, "EofReceived came twice");
        if (_stage == Stage.Open) _stage = Stage.Ended;
    }

    public void PauseWriting()
    {
        VerifyOpen("PauseWriting");
        if (IsWritingPaused) violate(ContractRule.Flow, "PauseWriting came twice without ResumeWriting");
        IsWritingPaused = true;
    }

    public void ResumeWriting()
    {
        VerifyOpen("ResumeWriting");
        if (!IsWritingPaused) violate(ContractRule.Flow, "ResumeWriting came without PauseWriting");
        if (Transport is { IsClosing: true }) violate(ContractRule.Flow, "ResumeWriting came while the transport was closing");
        IsWritingPaused = false;
    }

    public void DrainRequested()
    {
        VerifyOpen("DrainRequested");
        VerifyOutermost("DrainRequested");
        if (_isDrained) violate(ContractRule.Lifecycle, "DrainRequested came twice");
        if (Transport is { IsClosing: true }) violate(ContractRule.Lifecycle, "DrainRequested came while the transport was closing");
        _isDrained = true;
    }

    public void ConnectionLost()
    {
        if (_stage == Stage.Unmade) violate(ContractRule.Lifecycle, "ConnectionLost came before ConnectionMade");
        if (_stage == Stage.Lost) violate(ContractRule.Lifecycle, "ConnectionLost came twice");
        VerifyOutermost("ConnectionLost");
        if (_stage != Stage.Lost && Transport is { Protocol: null }) violate(ContractRule.Lifecycle, "the transport forgot its protocol before ConnectionLost had returned");
        _stage = Stage.Lost;
    }

    /// <summary>Marks the span of a callback, all that it calls included: of other callbacks only PauseWriting and ResumeWriting may come within.</summary>
    public void Enter() => _depth++;

    public void Leave() => _depth--;

    private void VerifyReading(string callback)
    {
        VerifyOpen(callback);
        VerifyOutermost(callback);
        if (_stage == Stage.Ended) violate(ContractRule.End, $"{callback} came after EofReceived");
        if (_stage == Stage.Open && Transport is IReadTransport { IsReading: false }) violate(ContractRule.Paused, $"{callback} came while reading was paused or the transport was closing");
    }

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
