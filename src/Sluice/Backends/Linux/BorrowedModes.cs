using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>
/// Puts open files of others into non-blocking mode, and back when the last of us lets go. One per backend, used on its thread.
/// </summary>
/// <remarks>
/// The mode belongs to the open file, not to the descriptor: a terminal that is standard input, output and error, here and in the shell that
/// started the program, is mostly one open file, and a program that leaves it non-blocking breaks those after it. So what was blocking becomes blocking
/// again. But one descriptor of ours must not end the mode under another: which ones mean the same open file the kernel does not say, so the
/// one that goes tries it out on those that mean the same file, and hands the duty on.
/// </remarks>
internal sealed class BorrowedModes(Syscalls system)
{
    private readonly List<PipeDescriptor> _borrowers = [];

    public IoError Borrow(PipeDescriptor pipe)
    {
        var isSet = system.IsNonBlocking(pipe.Number, out var error);
        if (error.IsNone && !isSet) error = system.SetNonBlocking(pipe.Number);
        if (!error.IsNone) return error;
        pipe.WasBlocking = !isSet;
        _borrowers.Add(pipe);
        return IoError.None;
    }

    public void Return(PipeDescriptor pipe)
    {
        if (!_borrowers.Remove(pipe) || !pipe.WasBlocking) return;
        system.SetBlocking(pipe.Number);
        foreach (var other in _borrowers)
        {
            if (other.WasBlocking || other.Identity != pipe.Identity || system.IsNonBlocking(other.Number, out _)) continue;
            system.SetNonBlocking(other.Number);
            other.WasBlocking = true;
            return;
        }
    }
}
