using System.Runtime.InteropServices;
using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Processes;

/// <summary>The program of a <see cref="ChaosChild"/>, which owns it: what it reads is verified, and what it writes has at each position a byte of its own.</summary>
internal sealed class ChaosProgram(ChaosChild child, ProgramKind kind, KernelDice dice)
{
    private const int StandardStreams = 3;
    private const int FirstStream = 500_000;

    private readonly SimulatedSocket?[] _sockets = new SimulatedSocket?[StandardStreams];
    private readonly byte[] _input = new byte[1 + dice.Below(5000)];
    private readonly int _code = dice.Below(200);
    private readonly int _most = dice.Chance(0.3) ? 30_000 : 300;
    private long _consumed;

    public ProgramKind Kind => kind;

    /// <summary>The child, once it has taken its first step.</summary>
    public SimulatedProcess? Process { get; private set; }

    /// <summary>The kernel has ended it.</summary>
    public bool HasEnded => Process is { ReturnCode: not null };

    /// <summary>Somebody reads the input, sooner or later.</summary>
    public bool Reads => kind is ProgramKind.Copy or ProgramKind.Stubborn or ProgramKind.Leave;

    public string Name => $"program{child.Number}";

    public string LaterName => $"later{child.Number}";

    /// <summary>The child's side of one of its pipes, whoever holds it; null where it has none or has not begun.</summary>
    public SimulatedSocket? SocketOf(int fd) => _sockets[fd];

    /// <summary>How many bytes have come into its input.</summary>
    public long? Fed => _sockets[0]?.Incoming.Sent;

    /// <summary>How many bytes have been written to one of its outputs.</summary>
    public long Said(int fd) => _sockets[fd]?.Outgoing.Sent ?? 0;

    /// <summary>The bytes of its input.</summary>
    public ReadOnlyMemory<byte> Input(long position, int count) => Pattern.Slice(FirstStream + (StandardStreams * child.Number), position, count);

    /// <summary>The bytes of one of its outputs.</summary>
    public ReadOnlyMemory<byte> Output(int fd, long position, int count) =>
        kind == ProgramKind.Copy ? Input(position, count) : Pattern.Slice(FirstStream + (StandardStreams * child.Number) + fd, position, count);

    public async Task<int> RunAsync(SimulatedProcess process)
    {
        Process = process;
        for (var fd = 0; fd < StandardStreams; fd++) _sockets[fd] = process.DescriptorAt(fd);
        switch (kind)
        {
            case ProgramKind.Copy:
                await ReadAsync(process, copies: true);
                break;
            case ProgramKind.Print:
                for (var left = dice.SomeOf(4); left > 0; left--) await SayAsync(process, 1 + dice.Below(2));
                break;
            case ProgramKind.Stay:
                await SayAsync(process, 1);
                await new TaskCompletionSource().Task;
                break;
            case ProgramKind.Stubborn:
                process.Loop.AddSignalHandler(PosixSignal.SIGTERM, static () => { });
                await SayAsync(process, 2);
                await ReadAsync(process, copies: false);
                break;
            case ProgramKind.Leave:
                await SayAsync(process, 1);
                await LeaveAsync();
                break;
            case ProgramKind.Deaf:
                await process.StandardInput.DisposeAsync();
                await SayAsync(process, 1);
                break;
        }

        return _code;
    }

    /// <summary>What the child of <see cref="ProgramKind.Leave"/> does.</summary>
    public async Task<int> StayBehindAsync(SimulatedProcess process)
    {
        await ReadAsync(process, copies: false);
        await SayAsync(process, 1);
        return 0;
    }

    private static Task DelayAsync(SimulatedProcess process, TimeSpan time)
    {
        var over = process.Loop.CreateFuture();
        process.Loop.CallLater(time, static over => ((TaskCompletionSource)over!).TrySetResult(), over);
        return over.Task;
    }

    private async Task LeaveAsync()
    {
        try
        {
            await Subprocess.StartAsync(LaterName, []);
        }
        catch (IOException) when (child.World.Plan.HasFaults)
        {
            // The kernel's next failure was meant for any start.
        }
    }

    private async Task ReadAsync(SimulatedProcess process, bool copies)
    {
        while (await process.StandardInput.ReadAsync(_input) is > 0 and var count)
        {
            if (!_input.AsSpan(0, count).SequenceEqual(Input(_consumed, count).Span)) child.Broken(Invariant.Bytes, $"the child read other bytes behind position {_consumed}");
            _consumed += count;
            if (copies) await process.StandardOutput.WriteAsync(_input.AsMemory(0, count));
        }
    }

    /// <summary>In pieces, and nobody else writes there meanwhile.</summary>
    private async Task SayAsync(SimulatedProcess process, int fd)
    {
        if (dice.Chance(0.5)) await DelayAsync(process, dice.Part(child.World.Plan.MostDelay));
        if (process.DescriptorAt(fd) is not { } socket) return;
        var stream = socket == _sockets[1] ? 1 : 2;
        for (var left = dice.Below(_most); left > 0;)
        {
            var count = Math.Min(left, 1 + dice.Below(4000));
            await (fd == 1 ? process.StandardOutput : process.StandardError).WriteAsync(Output(stream, socket.Outgoing.Sent, count));
            left -= count;
        }
    }
}
