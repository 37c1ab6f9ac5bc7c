using Microsoft.Win32.SafeHandles;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>
/// The sending side of a channel: what a write takes at once, and the one write that may be outstanding. Owned by its channel. It keeps
/// an image of the outstanding bytes and verifies that the transport left them alone.
/// </summary>
internal sealed class SimulatedWrite(SimulatedBackend host, SimulatedSocket kernel)
{
    private const int MostOfFile = 64 * 1024;

    private WriteSlice _slice;
    private byte[] _image = [];
    private bool _mayComplete;
    private long _starts;

    public bool IsOutstanding { get; private set; }

    /// <summary>Someone waits for room, with a file.</summary>
    public bool IsRoomAwaited { get; private set; }

    /// <summary>A write has failed: there is nobody left to linger for.</summary>
    public bool HasFailed { get; private set; }

    public bool IsReady => (IsOutstanding || IsRoomAwaited) && _mayComplete && kernel.CanWrite;

    public int Try(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        if (host.Faults.TryTakeWrite(out error))
        {
            HasFailed = true;
            return 0;
        }

        if (kernel.Dice.Chance(host.Network.Options.RefusedWrites)) return 0;
        var size = queue.Count + extra.Length;
        return Send(queue, extra, MostOf(size), out error);
    }

    public void Start(in WriteSlice queue)
    {
        IsOutstanding = true;
        _slice = queue;
        KeepImage();
        BeginWait();
    }

    /// <summary>Sends a part of a real file, as much as there is room for and luck allows.</summary>
    /// <returns>False where the kernel takes no more now. True with nothing sent: the file has no more.</returns>
    public bool TrySendFile(SafeFileHandle file, long offset, long count, out long sent, out IoError error)
    {
        sent = 0;
        if (host.Faults.TryTakeSendFile(out error)) return false;
        if (host.Faults.TryTakeWrite(out error))
        {
            HasFailed = true;
            return false;
        }

        if (kernel.Dice.Chance(host.Network.Options.RefusedWrites)) return false;
        var part = new byte[MostOf((int)Math.Min(count, MostOfFile))];
        var read = RandomAccess.Read(file, part, offset);
        if (read == 0) return true;
        sent = kernel.Write(part.AsSpan(0, read), out error);
        if (!error.IsNone) HasFailed = true;
        return sent == part.Length;
    }

    public void AwaitRoom()
    {
        if (IsRoomAwaited) return;
        IsRoomAwaited = true;
        BeginWait();
    }

    public void StopAwaitingRoom()
    {
        if (!IsRoomAwaited) return;
        IsRoomAwaited = false;
        _starts++;
    }

    private void BeginWait()
    {
        var network = host.Network;
        _mayComplete = !kernel.Dice.Chance(network.Options.SlowWrites);
        if (_mayComplete) return;
        var start = ++_starts;
        network.Schedule(network.Clock.Now + network.Options.Latency + kernel.Dice.Part(network.Options.LatencyJitter), () =>
        {
            if (start == _starts) _mayComplete = true;
        });
    }

    /// <summary>Takes what there is room for from the outstanding write, at least one byte, or fails it.</summary>
    public int Complete(out IoError error)
    {
        VerifyImage();
        IsOutstanding = false;
        if (!host.Faults.TryTakeWrite(out error)) return Send(_slice, [], MostOf(_slice.Count), out error);
        HasFailed = true;
        return 0;
    }

    /// <summary>The segments of an outstanding write stay put until it comes back.</summary>
    public void VerifyImage()
    {
        if (!IsOutstanding) return;
        var at = 0;
        foreach (var part in _slice)
        {
            if (!part.SequenceEqual(_image.AsSpan(at, part.Length))) break;
            at += part.Length;
        }

        if (at != _slice.Count) host.Network.Violated($"the bytes of an outstanding write were changed ({kernel})");
    }

    private void KeepImage()
    {
        if (_image.Length < _slice.Count) _image = new byte[_slice.Count];
        var at = 0;
        foreach (var part in _slice)
        {
            part.CopyTo(_image.AsSpan(at));
            at += part.Length;
        }
    }

    private int MostOf(int size) => size > 1 && kernel.Dice.Chance(host.Network.Options.PartialWrites) ? kernel.Dice.SomeOf(size) : size;

    private int Send(in WriteSlice queue, ReadOnlySpan<byte> extra, int most, out IoError error)
    {
        var sent = 0;
        error = IoError.None;
        foreach (var part in queue)
        {
            if (!SendPart(part, most, ref sent, ref error)) return sent;
        }

        SendPart(extra, most, ref sent, ref error);
        return sent;
    }

    /// <summary>False where the kernel took less than the part. An error behind bytes that were taken waits for the next write.</summary>
    private bool SendPart(ReadOnlySpan<byte> part, int most, ref int sent, ref IoError error)
    {
        var offered = part[..Math.Min(part.Length, most - sent)];
        if (offered.IsEmpty) return part.IsEmpty;
        var taken = kernel.Write(offered, out error);
        sent += taken;
        if (!error.IsNone) HasFailed = true;
        return error.IsNone && taken == part.Length;
    }
}
