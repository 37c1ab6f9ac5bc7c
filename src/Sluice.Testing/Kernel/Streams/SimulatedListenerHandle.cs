using System.Runtime.InteropServices;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>Stands for a descriptor of a simulated bound socket: what <see cref="SimulatedBackend.AdoptListener"/> takes. Owned by whoever holds it.</summary>
internal sealed class SimulatedListenerHandle : SafeHandle
{
    public SimulatedListenerHandle(SimulatedListener listener, int number)
        : base(-1, ownsHandle: true)
    {
        Listener = listener;
        SetHandle(number);
    }

    public SimulatedListener Listener { get; }

    public override bool IsInvalid => handle == -1;

    protected override bool ReleaseHandle()
    {
        Listener.LetGo();
        return true;
    }
}
