using System.Runtime.InteropServices;
using Sluice.Backends;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>
/// Stands for a descriptor of a simulated socket or of one end of a pipe: what <see cref="SimulatedBackend.Adopt"/> and
/// <see cref="SimulatedBackend.OpenPipe"/> take. Owned by whoever holds it.
/// </summary>
internal sealed class SimulatedSocketHandle : SafeHandle
{
    private SimulatedSocket? _socket;

    /// <param name="socket">What it stands for.</param>
    /// <param name="end">Which end of a pipe that is, or null where it is a socket, which is both.</param>
    public SimulatedSocketHandle(SimulatedSocket socket, PipeEnd? end = null)
        : base(-1, ownsHandle: true)
    {
        _socket = Kernel = socket;
        End = end;
        SetHandle(socket.Number);
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>What it stands for, or once stood for.</summary>
    public SimulatedSocket Kernel { get; }

    public PipeEnd? End { get; }

    /// <summary>A channel reads or writes through it.</summary>
    public bool IsInUse { get; set; }

    /// <summary>The socket is neither moved out nor closed.</summary>
    public bool HoldsSocket => _socket is { IsGone: false };

    /// <summary>Moves the socket out; the handle is good for nothing then.</summary>
    public SimulatedSocket? Take()
    {
        var socket = _socket;
        _socket = null;
        return socket;
    }

    protected override bool ReleaseHandle()
    {
        _socket?.Release(reset: false);
        return true;
    }
}
