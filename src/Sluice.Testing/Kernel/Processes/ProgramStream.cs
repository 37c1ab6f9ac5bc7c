using System.Diagnostics.CodeAnalysis;
using Sluice.Loop;
using Sluice.Primitives;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel.Processes;

/// <summary>
/// One standard stream of a simulated program: a descriptor of its own on a pipe's end, or on nothing. Owned by the process; on its loop's thread.
/// </summary>
internal abstract class ProgramStream : Stream, ISimulatedSource
{
    private readonly SimulatedBackend _backend;
    private LoopSignal? _waiter;

    /// <param name="backend">The process's.</param>
    /// <param name="kernel">The pipe's end, which is held for it already; null: reads find the end and writes vanish.</param>
    protected ProgramStream(SimulatedBackend backend, SimulatedSocket? kernel)
    {
        _backend = backend;
        Kernel = kernel;
        if (kernel is not null) backend.Add(this);
    }

    /// <summary>The pipe's end, until it is closed.</summary>
    public SimulatedSocket? Kernel { get; private set; }

    public bool IsReady => _waiter is not null && (Kernel is null || CanGoOn(Kernel));

    public KernelDice? Dice => Kernel?.Dice;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    protected SimulatedProcess Process => _backend.Process!;

    protected SimulationOptions Options => _backend.Network.Options;

    public bool Report()
    {
        var waiter = _waiter!;
        _waiter = null;
        waiter.Set();
        return true;
    }

    public override void Flush()
    {
    }

    /// <summary>Stream's own would go through the thread pool.</summary>
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A simulated program waits with await alone.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A simulated program waits with await alone.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override string ToString() => $"{GetType().Name} {(Kernel is null ? "closed" : _waiter is null ? "idle" : "waiting")}";

    /// <summary>Who waits would find something.</summary>
    protected abstract bool CanGoOn(SimulatedSocket kernel);

    protected async ValueTask WaitAsync(CancellationToken cancellation)
    {
        if (_waiter is not null) throw new InvalidOperationException("Somebody waits for this stream already.");
        var waiter = _waiter = new LoopSignal(Process.Loop.Core);
        try
        {
            await waiter.WaitAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            if (_waiter == waiter) _waiter = null;
        }
    }

    [SuppressMessage("Usage", "CA2215", Justification = "Stream's own does nothing.")]
    protected override void Dispose(bool disposing)
    {
        if (Kernel is not { } kernel) return;
        Kernel = null;
        kernel.Release(reset: false);
        _backend.Remove(this);
        _waiter?.Set();
    }
}

/// <summary>The standard input.</summary>
internal sealed class ProgramInput(SimulatedBackend backend, SimulatedSocket? kernel) : ProgramStream(backend, kernel)
{
    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (Kernel is { } kernel && !buffer.IsEmpty)
        {
            if (!kernel.CanRead)
            {
                await WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            var most = buffer.Length > 1 && kernel.Dice.Chance(Options.ShortReads) ? kernel.Dice.SomeOf(buffer.Length) : buffer.Length;
            return kernel.Read(buffer.Span[..most], out _, out _);
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override bool CanGoOn(SimulatedSocket kernel) => kernel.CanRead;
}

/// <summary>The standard output or error.</summary>
internal sealed class ProgramOutput(SimulatedBackend backend, SimulatedSocket? kernel) : ProgramStream(backend, kernel)
{
    private const int BrokenPipeSignal = 13;

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (Kernel is { } kernel && !buffer.IsEmpty)
        {
            if (!kernel.CanWrite)
            {
                await WaitAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            var most = buffer.Length > 1 && kernel.Dice.Chance(Options.PartialWrites) ? kernel.Dice.SomeOf(buffer.Length) : buffer.Length;
            var count = kernel.Write(buffer.Span[..most], out var error);
            if (!error.IsNone) throw Broken(error);
            buffer = buffer[count..];
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    protected override bool CanGoOn(SimulatedSocket kernel) => kernel.CanWrite;

    private IOException Broken(IoError error)
    {
        Process.Signal(BrokenPipeSignal);
        return new IOException("Nobody reads from this pipe any more.", error.ToException());
    }
}
