namespace Sluice.Testing;

/// <summary>The judge of what a stream transport may do to its protocol: besides what holds for all, the end comes once, and no data comes while nobody reads.</summary>
/// <param name="violate">Told of every breach: the rule, and what happened in words.</param>
internal sealed class ProtocolContract(Action<ContractRule, string> violate) : TransportContract<IBaseTransport>(violate)
{
    private bool _hasEnded;
    private bool _isDrained;

    public bool HasEnded => _hasEnded && !IsLost;

    public void CarryOn(ITransport transport) => Transport = transport;

    public void DataReceived(int count)
    {
        Require(count != 0, "DataReceived brought no bytes", ContractRule.Empty);
        VerifyReading("DataReceived");
    }

    public void GetBuffer() => VerifyReading("GetBuffer");

    public void BufferUpdated(int count)
    {
        Require(count > 0, "BufferUpdated brought no bytes", ContractRule.Empty);
        VerifyReading("BufferUpdated");
    }

    public void EofReceived()
    {
        VerifyOpen("EofReceived");
        VerifyOutermost("EofReceived");
        Require(!HasEnded, "EofReceived came twice", ContractRule.End);
        _hasEnded = true;
    }

    public override void ResumeWriting()
    {
        Require(!IsClosing, "ResumeWriting came while the transport was closing", ContractRule.Flow);
        base.ResumeWriting();
    }

    public void DrainRequested()
    {
        VerifyOpen("DrainRequested");
        VerifyOutermost("DrainRequested");
        Require(!_isDrained, "DrainRequested came twice");
        Require(!IsClosing, "DrainRequested came while the transport was closing");
        _isDrained = true;
    }

    private void VerifyReading(string callback)
    {
        VerifyOpen(callback);
        VerifyOutermost(callback);
        if (IsLost || !IsMade) return;
        Require(!_hasEnded, $"{callback} came after EofReceived", ContractRule.End);
        Require(
            _hasEnded || Transport is not IReadTransport { IsReading: false },
            $"{callback} came while reading was paused or the transport was closing", ContractRule.Paused);
    }
}
