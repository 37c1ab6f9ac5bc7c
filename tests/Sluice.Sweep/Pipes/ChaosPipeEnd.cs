using System.Net.Sockets;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Pipes;

/// <summary>What the two ends of a <see cref="ChaosPipe"/> have in common: their life, as the contract has it.</summary>
internal abstract class ChaosPipeEnd
{
    private readonly ProtocolContract _contract;

    protected ChaosPipeEnd(ChaosPipe pipe, KernelDice dice)
    {
        Pipe = pipe;
        Dice = dice;
        _contract = new ProtocolContract((rule, what) => pipe.Broken(
            rule switch
            {
                ContractRule.Lifecycle => Invariant.Lifecycle,
                ContractRule.Reentrancy => Invariant.Reentrancy,
                ContractRule.End => Invariant.End,
                ContractRule.Flow => Invariant.Flow,
                ContractRule.Paused => Invariant.Paused,
                _ => Invariant.Empty,
            },
            what));
    }

    /// <summary>The call that took its handle over.</summary>
    public Task Connecting { get; set; } = Task.CompletedTask;

    public bool IsLive => _contract is { IsMade: true, IsLost: false } || !Connecting.IsCompleted;

    public bool IsClosing => Transport is { IsClosing: true };

    protected ChaosPipe Pipe { get; }

    protected KernelDice Dice { get; }

    protected ProtocolContract Contract => _contract;

    protected IBaseTransport? Transport => _contract.Transport;

    /// <summary>An end without a reason is expected.</summary>
    protected bool AskedToEnd { get; set; }

    /// <summary>What a reading callback threw.</summary>
    protected Exception? Fatal { get; set; }

    /// <summary>The loop ends, and aborts it.</summary>
    public virtual void Abandon() => AskedToEnd = true;

    /// <summary>What holds whenever the transport rests.</summary>
    public abstract void Verify();

    /// <summary>A few acts, or none.</summary>
    public abstract void Act();

    protected void Made(IBaseTransport transport)
    {
        Pipe.Note(Happening.ConnectionMade, 0);
        _contract.ConnectionMade(transport);
        MayAct();
    }

    protected void Lost(Exception? reason)
    {
        Pipe.Note(Happening.ConnectionLost, reason is SocketException socket ? (long)socket.SocketErrorCode : reason is null ? 0 : 1);
        _contract.ConnectionLost();
        if (Fatal is not null && !ReferenceEquals(Fatal, reason)) Pipe.Broken(Invariant.Lifecycle, $"a callback threw, and the pipe was lost with {reason?.Message ?? "null"}");
        if (reason is not null and not SocketException && reason != Fatal) Pipe.Broken(Invariant.Lifecycle, $"the pipe was lost for a reason that there was not: {reason}");
    }

    /// <summary>A callback does something, and may throw.</summary>
    protected void MayAct(bool isFatal = false)
    {
        _contract.Enter();
        try
        {
            if (!Pipe.World.IsCalm && Dice.Chance(Pipe.World.Plan.CallbackActs)) Act();
            if (Pipe.MayThrow() is not { } exception) return;
            if (isFatal && Transport is { IsClosing: false }) Fatal ??= exception;
            throw exception;
        }
        finally
        {
            _contract.Leave();
        }
    }
}
