using System.Runtime.InteropServices;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>Stands for a descriptor of a simulated datagram socket: what <see cref="SimulatedBackend.AdoptDatagram"/> takes. Owned by whoever holds it.</summary>
internal sealed class SimulatedDatagramHandle : SafeHandle
{
    private SimulatedDatagramSocket? _socket;

    public SimulatedDatagramHandle(SimulatedDatagramSocket socket)
        : base(-1, ownsHandle: true)
    {
        _socket = socket;
        SetHandle(socket.Number);
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>The socket, as long as it is neither moved out nor closed.</summary>
    public SimulatedDatagramSocket? Socket => _socket is { IsGone: false } ? _socket : null;

    /// <summary>Moves the socket out; the handle is good for nothing then.</summary>
    public SimulatedDatagramSocket? Take()
    {
        var socket = _socket;
        _socket = null;
        return socket;
    }

    protected override bool ReleaseHandle()
    {
        _socket?.Release();
        return true;
    }
}
