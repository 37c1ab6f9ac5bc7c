namespace Sluice.Testing;

/// <summary>The judge of what a datagram transport may do to its protocol: besides what holds for all, nothing is received once it closes.</summary>
/// <param name="violate">Told of every breach: the rule, and what happened in words.</param>
internal sealed class DatagramContract(Action<ContractRule, string> violate) : TransportContract<IDatagramTransport>(violate)
{
    public void DatagramReceived()
    {
        VerifyOpen("DatagramReceived");
        VerifyOutermost("DatagramReceived");
        Require(!IsClosing, "DatagramReceived came while the transport was closing", ContractRule.Paused);
    }

    /// <summary>It comes in a send too, within whatever callback that was.</summary>
    public void ErrorReceived()
    {
        VerifyOpen("ErrorReceived");
        Require(!IsClosing, "ErrorReceived came while the transport was closing", ContractRule.Flow);
    }

    public override void PauseWriting()
    {
        Require(!IsClosing, "PauseWriting came while the transport was closing", ContractRule.Flow);
        base.PauseWriting();
    }

    public override void ResumeWriting()
    {
        Require(!IsClosing, "ResumeWriting came while the transport was closing", ContractRule.Flow);
        base.ResumeWriting();
    }
}
