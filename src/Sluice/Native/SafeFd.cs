using Microsoft.Win32.SafeHandles;
using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>
/// The one owner of a descriptor of ours. Hot calls use the raw number beside it; whoever may race with the close (a user's duplicate,
/// an option) takes a reference first.
/// </summary>
internal sealed class SafeFd : SafeHandleMinusOneIsInvalid
{
    private readonly Syscalls _system;

    public SafeFd(Syscalls system, int fd) : base(ownsHandle: true)
    {
        _system = system;
        SetHandle(fd);
    }

    public int Number => (int)handle;

    // Linux frees the number whatever close returns: a second try could close a descriptor that another thread has opened since.
    protected override bool ReleaseHandle()
    {
        var error = _system.Close(Number);
        if (error == IoError.BadDescriptor) Defect.Crash(error, "close");
        return true;
    }
}
