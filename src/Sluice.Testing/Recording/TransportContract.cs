namespace Sluice.Testing;

/// <summary>
/// What the contracts of all transports with their protocols have in common: made once and first, lost once and last, in turns of their own; pauses that alternate. Owned by who
/// stands in for the protocol, who tells it of each callback before it acts.
/// </summary>
/// <param name="violate">Told of every breach: the rule, and what happened in words.</param>
internal abstract class TransportContract<TTransport>(Action<ContractRule, string> violate) where TTransport : class, IBaseTransport
{
    private int _depth;

    /// <summary>The transport of ConnectionMade, or null before it.</summary>
    public TTransport? Transport { get; private protected set; }

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused { get; private set; }

    public bool IsMade { get; private set; }

    public bool IsLost { get; private set; }

    private protected bool IsClosing => Transport is { IsClosing: true };

    public virtual void ConnectionMade(TTransport transport)
    {
        Require(!IsMade, "ConnectionMade came twice");
        VerifyOutermost("ConnectionMade");
        IsMade = true;
        Transport = transport;
    }

    public virtual void PauseWriting()
    {
        VerifyOpen("PauseWriting");
        Require(!IsWritingPaused, "PauseWriting came twice without ResumeWriting", ContractRule.Flow);
        IsWritingPaused = true;
    }

    public virtual void ResumeWriting()
    {
        VerifyOpen("ResumeWriting");
        Require(IsWritingPaused, "ResumeWriting came without PauseWriting", ContractRule.Flow);
        IsWritingPaused = false;
    }

    public void ConnectionLost()
    {
        Require(IsMade, "ConnectionLost came before ConnectionMade");
        Require(!IsLost, "ConnectionLost came twice");
        VerifyOutermost("ConnectionLost");
        Require(IsLost || Transport is not { Protocol: null }, "the transport forgot its protocol before ConnectionLost had returned");
        IsLost = true;
    }

    /// <summary>Marks the span of a callback, all that it calls included: few others may come within.</summary>
    public void Enter() => _depth++;

    public void Leave() => _depth--;

    private protected void VerifyOpen(string callback)
    {
        Require(IsMade, $"{callback} came before ConnectionMade");
        Require(!IsLost, $"{callback} came after ConnectionLost", ContractRule.Reentrancy);
    }

    private protected void VerifyOutermost(string callback) => Require(_depth == 0, $"{callback} came inside another callback", ContractRule.Reentrancy);

    private protected void Require(bool law, string broken, ContractRule rule = ContractRule.Lifecycle)
    {
        if (!law) violate(rule, broken);
    }
}
