using System.Buffers;
using Sluice.Sweep.Tls;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Streams;

/// <summary>
/// What one end does in its callbacks and in turns of its own: whatever the interfaces allow, and some things that they forbid. Owned by its end, to
/// whose model it tells everything first.
/// </summary>
internal sealed class Chaos(End end)
{
    private readonly World _world = end.World;
    private readonly WorldPlan _plan = end.World.Plan;
    private readonly KernelDice _dice = end.Dice;
    private readonly EndModel _model = end.Model;
    private readonly FileChaos _files = new(end);
    private int _turns = end.World.Plan.TurnsPerEnd;
    private int _acts = 8 * end.World.Plan.TurnsPerEnd;
    private byte[] _buffer = [];

    private double ThrowChance => end.Misbehaves ? 0.1 : _plan.ThrowChance;

    /// <summary>
    /// Whose writes wait for the end of a step shares the flush with all others of the pass: what another connection does may group them otherwise. Where connections are compared, they do not wait.
    /// </summary>
    public void WriteAtOnce()
    {
        end.Transport!.SetWriteBufferLimits(0);
        _model.LimitsChanged();
    }

    public void BeginTurns()
    {
        if (_dice.Chance(0.5))
        {
            var high = _plan.HighMarks[_dice.Below(_plan.HighMarks.Count)];
            end.Transport!.SetWriteBufferLimits(high, _dice.Chance(0.3) ? _dice.Below(high + 1) : null);
            _model.LimitsChanged();
        }

        NextTurn();
    }

    /// <summary>A few acts, or none.</summary>
    public void Act(bool always)
    {
        if (_world.IsCalm || end.Transport is not { } transport || end.IsDeep) return;
        if (!always && !_dice.Chance(_plan.CallbackActs)) return;
        for (var left = _dice.SomeOf(3); left > 0 && _acts > 0; left--)
        {
            _acts--;
            if (_dice.Chance(end.Misbehaves ? 0.1 : _plan.EndChance)) EndSomehow(transport);
            else Act(_plan.Acts[_dice.Below(_plan.Acts.Count)], transport);
            _model.Verify();
        }
    }

    /// <summary>Throws, if the dice say so.</summary>
    public void MayThrow(bool isFatal)
    {
        if (_world.IsCalm || !_dice.Chance(ThrowChance)) return;
        end.Note(Happening.Throw, 0);
        var exception = new ChaosException(end);
        if (isFatal) _model.ThrowFatally(exception);
        _world.WillReport();
        throw exception;
    }

    /// <summary>A buffer of odd size; or a bad one, or none but an exception.</summary>
    public Memory<byte> DrawBuffer()
    {
        if (!_world.IsCalm && _dice.Chance(_plan.BadBufferChance))
        {
            if (_dice.Chance(0.5)) ThrowFromGetBuffer();
            _model.GaveEmptyBuffer = true;
            _world.WillReport();
            end.Note(Happening.Throw, 1);
            return default;
        }

        var most = _plan.SharesSmallBuffers ? 97 : 9001;
        if (_buffer.Length < most) _buffer = new byte[most];
        return _buffer.AsMemory(0, _world.IsCalm ? most : 1 + _dice.Below(most));
    }

    /// <summary>For a reader of the handler of exceptions: whatever a callback may do.</summary>
    public void ActInHandler()
    {
        if (_plan.HandlerActs && end.IsMade) Act(always: false);
    }

    private void ThrowFromGetBuffer()
    {
        end.Note(Happening.Throw, 2);
        var exception = new ChaosException(end);
        _model.ThrowFatally(exception);
        _world.WillReport();
        throw exception;
    }

    private void NextTurn()
    {
        if (--_turns < 0 || end.IsCrashed || end.Host.Loop.IsClosed || _world.IsCalm) return;
        if (_dice.Chance(0.3)) end.Host.Loop.CallSoon(RunTurn, this);
        else end.Host.Loop.CallLater(TimeSpan.FromTicks(1) + _dice.Part(_plan.MostDelay), RunTurn, this);
    }

    private static readonly Action<object?> RunTurn = static self =>
    {
        var chaos = (Chaos)self!;
        chaos.NextTurn();
        chaos.Turn();
    };

    private static readonly Action<object?> RunExtraTurn = static self => ((Chaos)self!).Turn();

    private void Turn() => end.Turn();

    private void EndSomehow(ITransport transport)
    {
        switch (_dice.Below(4))
        {
            case 0:
                _model.AskedToEnd = _model.WasAborted = true;
                end.Note(Happening.Abort, 0);
                transport.Abort();
                break;
            case 1 when end.Security != Security.None:
                if (transport.CanWriteEof) end.Broken(Invariant.Seam, "TLS says that one side alone can end");
                MustThrow(transport.WriteEof, "one side of a TLS connection was ended alone");
                break;
            case 1 when _model.IsSendingFile:
                // Nothing that would write is legal now; which calls throw, the checks hold.
                break;
            case 1:
                _model.HasWrittenEof |= !transport.IsClosing;
                end.Note(Happening.WriteEof, 0);
                transport.WriteEof();
                break;
            default:
                _model.AskedToEnd = true;
                end.Note(Happening.Close, 0);
                transport.Close();
                break;
        }
    }

    private void Act(Happening act, ITransport transport)
    {
        if (_model.IsSendingFile && act is Happening.Write or Happening.WriteSequence or Happening.WriteLines or Happening.Advance) return;
        switch (act)
        {
            case Happening.Write:
                Write(transport, DrawSize(transport));
                break;
            case Happening.WriteSequence:
                WriteSequence(transport);
                break;
            case Happening.WriteLines:
                WriteLines(transport);
                break;
            case Happening.Advance:
                Advance(transport);
                break;
            case Happening.SendFile when end.Security != Security.None:
                break;
            case Happening.SendFile:
                _files.Send(transport);
                break;
            case Happening.PauseReading:
                end.Note(act, 0);
                _model.WantReading(false);
                transport.PauseReading();
                if (_dice.Chance(0.2)) transport.PauseReading();
                break;
            case Happening.ResumeReading:
                end.Note(act, 0);
                _model.WantReading(true);
                transport.ResumeReading();
                if (_dice.Chance(0.2)) transport.ResumeReading();
                break;
            case Happening.SetProtocol:
                SetProtocol(transport);
                break;
            case Happening.SetLimits:
                var high = _plan.HighMarks[_dice.Below(_plan.HighMarks.Count)];
                end.Note(act, high);
                _model.LimitsChanged();
                transport.SetWriteBufferLimits(high, _dice.Chance(0.5) ? _dice.Below(high + 1) : null);
                _model.LimitsChanged();
                break;
            case Happening.Later:
                end.Note(act, 0);
                if (!end.IsCrashed && !end.Host.Loop.IsClosed) end.Host.Loop.CallSoon(RunExtraTurn, this);
                break;
        }
    }

    private int DrawSize(ITransport transport)
    {
        var size = _dice.Below(16) switch
        {
            0 => 0,
            1 or 2 or 3 or 4 or 5 => 1 + _dice.Below(32),
            6 or 7 or 8 or 9 => 1 + _dice.Below(1000),
            10 or 11 => 4095 + _dice.Below(3),
            12 => transport.WriteBufferLimits.High - transport.WriteBufferSize + _dice.Below(3) - 1,
            13 => transport.WriteBufferLimits.Low - transport.WriteBufferSize + _dice.Below(3) - 1,
            14 => _dice.Below(_plan.LargestWrite),
            _ => end.Cap < 100_000 && _dice.Chance(0.3) ? end.Cap + _dice.Below(2000) : 1 + _dice.Below(200),
        };
        return Math.Clamp(size, 0, Math.Max(4097, Math.Min(2 * _plan.LargestWrite, 100_000)));
    }

    /// <summary>Runs a call that accepts bytes; it must throw after WriteEof, and only then.</summary>
    private void Call(Happening what, int size, Action<ITransport> call, ITransport transport)
    {
        end.Note(what, size);
        var mustThrow = _model.HasWrittenEof && _model.Accepts;
        var accepted = _model.Accepts && !mustThrow ? size : 0;
        _model.Accept(accepted);
        try
        {
            call(transport);
        }
        catch (InvalidOperationException) when (mustThrow)
        {
            return;
        }

        if (mustThrow) end.Broken(Invariant.Accounting, $"{what} after WriteEof was accepted");
    }

    private void Write(ITransport transport, int size)
    {
        var data = _model.NextBytes(size);
        Call(Happening.Write, size, to => to.Write(data.Span), transport);
    }

    private void WriteSequence(ITransport transport)
    {
        var data = _model.NextBytes(1 + _dice.Below(9000));
        var first = new Piece(data[..(data.Length / 3)], null);
        var last = new Piece(data[(data.Length / 2)..], new Piece(data[(data.Length / 3)..(data.Length / 2)], first));
        var sequence = new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        Call(Happening.WriteSequence, data.Length, to => to.Write(sequence), transport);
    }

    private void WriteLines(ITransport transport)
    {
        end.Note(Happening.WriteLines, 0);
        _model.IsGathering = true;
        var mustThrow = _model.HasWrittenEof && _model.Accepts;
        try
        {
            transport.WriteLines(Parts());
            if (mustThrow) end.Broken(Invariant.Accounting, "WriteLines after WriteEof was accepted");
        }
        catch (InvalidOperationException) when (mustThrow)
        {
        }
        catch (ChaosException)
        {
            // The enumeration threw; what it had given before stays written.
        }
        finally
        {
            _model.IsGathering = false;
        }
    }

    private IEnumerable<ReadOnlyMemory<byte>> Parts()
    {
        for (var left = _dice.Below(6); left > 0; left--)
        {
            if (_dice.Chance(ThrowChance)) throw new ChaosException(end);
            var part = _model.NextBytes(_dice.Chance(0.2) ? 0 : _dice.Chance(0.9) ? 1 + _dice.Below(700) : 4000 + _dice.Below(4000));
            if (_model.Accepts) _model.Accept(part.Length);
            yield return part;
        }
    }

    private void Advance(ITransport transport)
    {
        var size = _dice.Chance(0.1) ? 4096 + _dice.Below(3000) : 1 + _dice.Below(300);
        end.Note(Happening.Advance, size);
        if (_model.HasWrittenEof && _model.Accepts) return;
        var memory = transport.GetMemory(size);
        if (_dice.Chance(0.1)) return;
        var used = _dice.Chance(0.2) ? size / 2 : size;
        _model.NextBytes(used).CopyTo(memory);
        if (_dice.Chance(0.05))
        {
            // Any other call on the transport ends the loan.
            transport.Write(ReadOnlySpan<byte>.Empty);
            MustThrow(() => transport.Advance(used), "Advance after the end of the loan was accepted");
            return;
        }

        if (_model.Accepts) _model.Accept(used);
        transport.Advance(used);
    }

    private void SetProtocol(ITransport transport)
    {
        var kind = _plan.Kinds[_dice.Below(_plan.Kinds.Count)];
        end.Note(Happening.SetProtocol, (long)kind);
        if (!_plan.IsIsolated && _dice.Chance(0.1) && _world.AnotherProtocol(end) is { } used)
        {
            var before = transport.Protocol;
            MustThrow(() => transport.SetProtocol(used), "a protocol that serves another transport was accepted");
            if (!ReferenceEquals(before, transport.Protocol)) end.Broken(Invariant.Lifecycle, "a refused protocol took over");
            return;
        }

        transport.SetProtocol(World.MakeProtocol(end, kind));
    }

    private void MustThrow(Action call, string otherwise)
    {
        try
        {
            call();
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException or NotSupportedException)
        {
            return;
        }

        end.Broken(Invariant.Seam, otherwise);
    }

    /// <summary>A part of a sequence, behind another one.</summary>
    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, Piece? before)
        {
            Memory = memory;
            if (before is null) return;
            before.Next = this;
            RunningIndex = before.RunningIndex + before.Memory.Length;
        }
    }
}
