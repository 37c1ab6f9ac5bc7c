using System.Runtime.InteropServices;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Processes;

/// <summary>One child process of a world: what its protocol does, and what both must be able to see. Owned by the world's children.</summary>
internal sealed class ChaosChild
{
    private const int FirstNumber = 20_000;
    private const int UnknownReturnCode = 255;
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGHUP, PosixSignal.SIGTERM, PosixSignal.SIGINT, (PosixSignal)10];

    private readonly KernelDice _dice;
    private readonly SubprocessContract _contract;
    private readonly ChildOutput?[] _outputs = new ChildOutput?[3];
    private ChildInput? _input;
    private Task _starting = Task.CompletedTask;
    private bool _wasHit;
    private int _depth;
    private int _turns;

    public ChaosChild(World world, SimulatedHost host, int number, KernelDice dice)
    {
        World = world;
        Host = host;
        Number = number;
        _dice = dice;
        _turns = world.Plan.TurnsPerEnd;
        Program = new ChaosProgram(this, Enum.GetValues<ProgramKind>()[dice.Below(Enum.GetValues<ProgramKind>().Length)], dice);
        _contract = new SubprocessContract((rule, what) => Broken(
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

    public World World { get; }

    public SimulatedHost Host { get; }

    public int Number { get; }

    public ChaosProgram Program { get; }

    public bool IsWritingPaused => _contract.IsWritingPaused;

    public bool IsLive => !_starting.IsCompleted || (_contract.Transport is not null && !_contract.IsLost);

    private ISubprocessTransport? Transport => _contract.Transport;

    /// <summary>Starts it, unless there is no such program, its factory throws, the kernel fails or somebody cancels the start.</summary>
    public void Begin()
    {
        Note(Happening.Spawn, (long)Program.Kind);
        Host.AddProgram(Program.Name, Program.RunAsync);
        Host.AddProgram(Program.LaterName, Program.StayBehindAsync);
        var options = new SubprocessOptions
        {
            StandardInput = PipeOrNull(),
            StandardOutput = PipeOrNull(),
            StandardError = _dice.Chance(0.2) ? SubprocessStream.ToStandardOutput : PipeOrNull(),
            MaxWriteBufferSize = World.Plan.Cap,
        };
        var name = _dice.Chance(0.03) ? "nowhere" : Program.Name;
        _starting = Host.Loop.SubprocessExecAsync(Make, name, [], options, World.Plan.HasCancels && _dice.Chance(0.4) ? CancelSoon() : default);
    }

    public void Close()
    {
        Cut();
        Note(Happening.Close, 0);
        Transport?.Close();
        if (Transport is { IsClosing: false }) Broken(Invariant.Lifecycle, "it was closed, and IsClosing is false");
    }

    /// <summary>The loop ends, and closes it.</summary>
    public void Cut()
    {
        _wasHit = true;
        _input?.Cut();
        foreach (var output in _outputs) output?.Cut();
    }

    public void CalmDown()
    {
        foreach (var output in _outputs) output?.WantReading(true);
    }

    public void Verify()
    {
        if (Transport is null || _contract.IsLost) return;
        _input?.Verify();
        foreach (var output in _outputs) output?.Verify();
    }

    /// <summary>What is not at rest though the world is calm, or null.</summary>
    public string? Restless()
    {
        if (Host.Loop.IsClosed) return null;
        if (!_starting.IsCompleted) return $"the start of {this}";
        VerifyStart();
        if (!IsLive) return null;
        if (Program.Process is null || (Program.HasEnded && Transport!.ReturnCode is null)) return $"the end of {this}";
        if (_input is { IsAtRest: false }) return $"the {_input} of {this}";
        foreach (var output in _outputs)
        {
            if (output is { IsAtRest: false }) return $"the {output} of {this}";
        }

        return Transport is { ReturnCode: not null } && _input is null or { IsLost: true } && Array.TrueForAll(_outputs, static output => output is null or { IsLost: true })
            ? $"the loss of {this}" : null;
    }

    public void Note(Happening what, long value)
    {
        World.Callbacks++;
        World.Trace.Add(World.Simulation.Time.Ticks, FirstNumber + Number, what, value);
    }

    public void Broken(Invariant invariant, string what) => World.Broken(invariant, $"child {Number}: {what}");

    public override string ToString() => $"child {Number} ({Program.Kind}, {Transport}, {(Program.Process?.ReturnCode is { } code ? $"ended with {code}" : "not ended")})";

    private Guardian Make()
    {
        if (World.Plan.HasBadFactories && !World.IsCalm && _dice.Chance(0.2)) throw new ChaosException(null);
        return new Guardian(this);
    }

    private SubprocessStream PipeOrNull() => _dice.Chance(0.15) ? SubprocessStream.Null : SubprocessStream.Pipe;

    private CancellationToken CancelSoon()
    {
        var source = new CancellationTokenSource();
        World.Simulation.Hosts[0].Loop.CallLater(_dice.Chance(0.5) ? TimeSpan.Zero : TimeSpan.FromTicks(1) + _dice.Part(World.Plan.MostDelay), () =>
        {
            Note(Happening.Cancel, 0);
            source.Cancel();
            source.Dispose();
        });
        return source.Token;
    }

    private void VerifyStart()
    {
        if (_starting.IsCompletedSuccessfully != Transport is not null) Broken(Invariant.Lifecycle, $"its start is {_starting.Status}, and its transport {Transport}");
        if (_starting.Exception?.InnerException is { } exception and not (IOException or ChaosException)) Broken(Invariant.Seam, $"its start failed with {exception}");
    }

    private void NextTurn()
    {
        if (--_turns < 0 || Host.Loop.IsClosed || World.IsCalm) return;
        Host.Loop.CallLater(TimeSpan.FromTicks(1) + _dice.Part(World.Plan.MostDelay), () =>
        {
            NextTurn();
            if (World.IsCalm) return;
            Note(Happening.Turn, 0);
            Act();
        });
    }

    private void Act()
    {
        if (Transport is null || _depth > 2) return;
        _depth++;
        for (var left = _dice.SomeOf(3); left > 0; left--)
        {
            if (_dice.Chance(World.Plan.EndChance / 2)) Close();
            else if (_dice.Chance(0.1)) Signal(Transport);
            else if (_dice.Chance(0.6)) _input?.Act();
            else _outputs[1 + _dice.Below(2)]?.Act();
            Verify();
        }

        _depth--;
    }

    /// <summary>A signal that must find nobody once the return code is known, and must not fail before.</summary>
    private void Signal(ISubprocessTransport transport)
    {
        var mustThrow = transport.ReturnCode is not null;
        Note(Happening.Signal, mustThrow ? 1 : 0);
        _wasHit = true;
        try
        {
            switch (_dice.Below(6))
            {
                case 0:
                    transport.Kill();
                    break;
                case 1:
                    transport.Terminate();
                    break;
                default:
                    transport.SendSignal(Signals[_dice.Below(Signals.Length)]);
                    break;
            }
        }
        catch (ProcessLookupException) when (mustThrow)
        {
            return;
        }

        if (mustThrow) Broken(Invariant.Seam, "a signal was sent to a child that had ended");
    }

    /// <summary>A callback: it is judged, does something, and may throw.</summary>
    private void Callback(Happening what, long value, Action judge)
    {
        Note(what, value);
        judge();
        Verify();
        MayAct();
    }

    private void MayAct()
    {
        _contract.Enter();
        try
        {
            if (World.IsCalm) return;
            if (_dice.Chance(World.Plan.CallbackActs)) Act();
            if (!_dice.Chance(World.Plan.ThrowChance)) return;
            Note(Happening.Throw, 0);
            World.WillReport();
            throw new ChaosException(null);
        }
        finally
        {
            _contract.Leave();
        }
    }

    private void Made(ISubprocessTransport transport)
    {
        _contract.ConnectionMade(transport);
        if (transport.StandardInput is { } input) _input = new ChildInput(this, input, _dice);
        if (transport.StandardOutput is { } output) _outputs[1] = new ChildOutput(this, output, 1, _dice);
        if (transport.StandardError is { } error) _outputs[2] = new ChildOutput(this, error, 2, _dice);
        NextTurn();
    }

    private void Exited()
    {
        _contract.ProcessExited();
        var code = Transport!.ReturnCode;
        if (code == UnknownReturnCode && World.Plan.HasFaults) return;
        if (Program.Process is { } process ? process.ReturnCode != code : !_wasHit || code is not < 0)
        {
            Broken(Invariant.Lifecycle, $"its return code is {code}, and it ended with {Program.Process?.ReturnCode}");
        }
    }

    private sealed class Guardian(ChaosChild child) : SubprocessProtocol
    {
        public override void ConnectionMade(ISubprocessTransport transport) => child.Callback(Happening.ConnectionMade, 0, () => child.Made(transport));

        public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
        {
            child.Note(Happening.DataReceived, data.Length);
            child._contract.PipeDataReceived(fd, data.Length);
            child._outputs[fd]?.OnData(data);
            child.MayAct();
        }

        public override void PipeConnectionLost(int fd, Exception? exception) => child.Callback(Happening.PipeLost, fd, () =>
        {
            child._contract.PipeConnectionLost(fd);
            if (fd == 0) child._input?.OnLost(exception);
            else child._outputs[fd]?.OnLost(exception);
        });

        public override void ProcessExited() => child.Callback(Happening.Exited, child.Transport?.ReturnCode ?? 0, child.Exited);

        public override void PauseWriting() => child.Callback(Happening.PauseWriting, 0, child._contract.PauseWriting);

        public override void ResumeWriting() => child.Callback(Happening.ResumeWriting, 0, child._contract.ResumeWriting);

        public override void ConnectionLost(Exception? exception) => child.Callback(Happening.ConnectionLost, 0, () => child._contract.ConnectionLost(exception));
    }
}
