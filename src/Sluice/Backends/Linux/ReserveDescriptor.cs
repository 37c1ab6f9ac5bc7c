using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>
/// A descriptor kept in reserve for when there are none left: given up for a moment, it lets a listener take one waiting connection
/// and close it, so that the peer learns at once that nobody will serve it. Owned by its backend.
/// </summary>
internal sealed class ReserveDescriptor(Syscalls system) : IDisposable
{
    private SafeFd? _reserve = Open(system);

    /// <summary>Drops one connection that waits at the listener.</summary>
    /// <returns>False where none waits: Linux looks for a descriptor before it looks for a connection.</returns>
    public bool Shed(int listener)
    {
        if (_reserve is null) return true;
        _reserve.Dispose();
        var shed = system.Accept(listener, [], out _, out var error);
        if (error.IsNone)
        {
            ForeignOptions.CloseInOrder(system, shed);
            new SafeFd(system, shed).Dispose();
        }

        _reserve = Open(system);
        return error != IoError.WouldBlock;
    }

    /// <summary>Gets the descriptor back where another thread was quicker in <see cref="Shed"/>.</summary>
    public void Restore() => _reserve ??= Open(system);

    public void Dispose() => _reserve?.Dispose();

    private static SafeFd? Open(Syscalls system)
    {
        var fd = system.EventDescriptor(out var error);
        return error.IsNone ? new SafeFd(system, fd) : null;
    }
}
