using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Links;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Pipes;

/// <summary>
/// One pipe of a world, both ends on one loop, or one of them bare: what its protocols do, and what both must be able to see. Owned by the world's
/// plumbing.
/// </summary>
internal sealed class ChaosPipe
{
    private const int FirstNumber = 10_000;

    private readonly World _world;
    private readonly int _number;
    private readonly KernelDice _dice;
    private readonly SimulatedSocketHandle _readerHandle;
    private readonly SimulatedSocketHandle _writerHandle;
    private readonly ChaosPipeReader? _reader;
    private readonly ChaosPipeWriter? _writer;
    private int _turns;

    public ChaosPipe(World world, SimulatedHost host, int number, KernelDice dice)
    {
        _world = world;
        Host = host;
        _number = number;
        _dice = dice;
        var (reader, writer) = host.CreatePipe();
        (_readerHandle, _writerHandle) = ((SimulatedSocketHandle)reader, (SimulatedSocketHandle)writer);
        _turns = world.Plan.TurnsPerEnd;
        if (!dice.Chance(0.1)) _reader = new ChaosPipeReader(this, dice);
        if (_reader is null || !dice.Chance(0.1)) _writer = new ChaosPipeWriter(this, dice);
    }

    public SimulatedHost Host { get; }

    public World World => _world;

    /// <summary>The link from writer to reader.</summary>
    public Link Link => _writerHandle.Kernel.Outgoing;

    /// <summary>Tells its bytes from those of others.</summary>
    public int Stream => _writerHandle.Kernel.Id;

    public bool ReaderIsGone => _readerHandle.Kernel.IsGone;

    public bool WriterIsGone => _writerHandle.Kernel.IsGone;

    /// <summary>How many bytes the writer has accepted, where there is one that nobody has aborted and nothing has broken.</summary>
    public long? WholeLength => _writer is null ? 0 : _writer.IsWhole ? _writer.Written : null;

    public int LooseHandles => (IsLoose(_readerHandle) ? 1 : 0) + (IsLoose(_writerHandle) ? 1 : 0);

    public bool IsLive => _reader is { IsLive: true } || _writer is { IsLive: true };

    public void Begin()
    {
        if (_reader is not null) Connect(_reader, () => Host.Loop.ConnectReadPipeAsync(_reader.MakeProtocol, _readerHandle));
        if (_writer is not null) Connect(_writer, () => Host.Loop.ConnectWritePipeAsync(_writer.MakeProtocol, _writerHandle));
        NextTurn();
    }

    public void Verify()
    {
        _reader?.Verify();
        _writer?.Verify();
    }

    public void Abandon()
    {
        _reader?.Abandon();
        _writer?.Abandon();
        if (_reader is null) _readerHandle.Dispose();
        if (_writer is null) _writerHandle.Dispose();
    }

    public void CalmDown()
    {
        if (Host.Loop.IsClosed) return;
        Host.Loop.CallSoonThreadSafe(() => _reader?.WantReading(true));
    }

    public void Close()
    {
        if (_reader is null) _readerHandle.Dispose();
        if (_writer is null) _writerHandle.Dispose();
        if (Host.Loop.IsClosed) return;
        Host.Loop.CallSoonThreadSafe(() =>
        {
            _writer?.End(_dice.Below(3));
            if (_dice.Chance(0.5)) _reader?.Close();
        });
    }

    public string? Restless()
    {
        if (Host.Loop.IsClosed) return null;
        if (_writer is { IsLive: true } writer && (ReaderIsGone || (_reader is not null && (writer.IsClosing || writer.Buffered > 0)))) return $"{this}: the writer stays";
        if (_reader is { IsLive: true } reader && (WriterIsGone || reader.IsClosing || reader.Received != Link.Sent)) return $"{this}: the reader stays";
        return null;
    }

    public void Note(Happening what, long value)
    {
        _world.Callbacks++;
        _world.Trace.Add(_world.Simulation.Time.Ticks, FirstNumber + _number, what, value);
    }

    public void Broken(Invariant invariant, string what) => _world.Broken(invariant, $"pipe {_number}: {what}");

    /// <summary>Throws, if the dice say so, where the handler of exceptions is to hear of it.</summary>
    public Exception? MayThrow()
    {
        if (_world.IsCalm || !_dice.Chance(_world.Plan.ThrowChance)) return null;
        Note(Happening.Throw, 0);
        _world.WillReport();
        return new ChaosException(null);
    }

    public override string ToString() => $"pipe {_number} (sent {Link.Sent}, {_writer}, {_reader})";

    private static bool IsLoose(SimulatedSocketHandle handle) => handle is { HoldsSocket: true, IsInUse: false };

    private void Connect<T>(ChaosPipeEnd end, Func<Task<T>> connect)
    {
        Note(Happening.Connect, 0);
        end.Connecting = connect();
    }

    private void NextTurn()
    {
        if (--_turns < 0 || Host.Loop.IsClosed || _world.IsCalm) return;
        Host.Loop.CallLater(TimeSpan.FromTicks(1) + _dice.Part(_world.Plan.MostDelay), Turn);
    }

    private void Turn()
    {
        NextTurn();
        if (_world.IsCalm) return;
        Note(Happening.Turn, 0);
        _reader?.Act();
        _writer?.Act();
        if (_reader is null && _dice.Chance(0.1)) _readerHandle.Dispose();
        if (_writer is null && _dice.Chance(0.1)) _writerHandle.Dispose();
    }
}
