using System.Runtime.InteropServices;

namespace Sluice.Testing.Kernel;

/// <summary>Stands for a descriptor of a simulated socket: what <see cref="SimulatedBackend.Adopt"/> takes. Owned by whoever holds it.</summary>
internal sealed class SimulatedSocketHandle : SafeHandle
{
    private SimulatedSocket? _socket;

    public SimulatedSocketHandle(SimulatedSocket socket)
        : base(-1, ownsHandle: true)
    {
        _socket = socket;
        SetHandle(socket.Number);
    }

    public override bool IsInvalid => handle == -1;

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
