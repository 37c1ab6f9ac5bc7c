using System.Runtime.InteropServices;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Processes;

/// <summary>
/// Which open file becomes which descriptor of a child, and what was opened for that alone. Owned by the launcher for one spawn; disposing of it closes
/// the child's ends and, unless they were taken, ours.
/// </summary>
internal sealed class DescriptorPlan : IDisposable
{
    private const int StandardStreams = 3;

    private readonly Syscalls _system;
    private readonly List<(int Source, int Target)> _entries = [];
    private readonly List<SafeFd> _opened = [];
    private readonly List<SafeHandle> _held = [];
    private readonly SafeFd?[] _ours = new SafeFd?[StandardStreams];
    private readonly int _last;
    private int _nullDevice = -1;

    /// <exception cref="IOException">The system has no descriptor to spare.</exception>
    /// <exception cref="ObjectDisposedException">A handle of the caller's is closed.</exception>
    public DescriptorPlan(Syscalls system, SpawnRequest request)
    {
        _system = system;
        _last = Math.Max(StandardStreams - 1, request.ExtraDescriptors is { Count: > 0 } extra ? extra.Keys.Max() : 0);
        try
        {
            for (var fd = 0; fd < StandardStreams; fd++) Add(request.Streams[fd], fd);
            foreach (var (target, handle) in request.ExtraDescriptors ?? new Dictionary<int, SafeHandle>()) Add(NumberOf(handle), target);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IReadOnlyList<(int Source, int Target)> Entries => _entries;

    /// <summary>Our ends of the pipes. They are the caller's from here on.</summary>
    public SafeFd?[] TakeOurs()
    {
        var taken = (SafeFd?[])_ours.Clone();
        Array.Clear(_ours);
        return taken;
    }

    public void Dispose()
    {
        foreach (var fd in _opened) fd.Dispose();
        foreach (var fd in _ours) fd?.Dispose();
        foreach (var handle in _held) handle.DangerousRelease();
        _opened.Clear();
        _held.Clear();
        Array.Clear(_ours);
    }

    private void Add(ChildStream stream, int target)
    {
        switch (stream.Kind)
        {
            case ChildStreamKind.Pipe:
                Add(OpenPipe(target), target);
                break;
            case ChildStreamKind.Null:
                Add(NullDevice(), target);
                break;
            case ChildStreamKind.Handle:
                Add(NumberOf(stream.Handle!), target);
                break;
            case ChildStreamKind.StandardOutput:
                // The second descriptor of the child has become what it will be by then.
                _entries.Add((1, target));
                break;
            case ChildStreamKind.Inherited when _system.IsOpen(target):
                Add(target, target);
                break;
        }
    }

    /// <summary>
    /// A source among the numbers that the child is to have would be overwritten before its turn, or overwrite: it moves out of the way, unless it is where it
    /// belongs.
    /// </summary>
    private void Add(int source, int target)
    {
        if (source <= _last && source != target)
        {
            source = _system.DuplicateFrom(source, _last + 1, out var error);
            Own(source, error);
        }

        _entries.Add((source, target));
    }

    private int OpenPipe(int target)
    {
        var error = _system.Pipe(out var reading, out var writing);
        if (!error.IsNone) throw SpawnErrors.OfResources(error);
        var isInput = target == 0;
        _ours[target] = new SafeFd(_system, isInput ? writing : reading);
        return Own(isInput ? reading : writing, error);
    }

    private int NullDevice()
    {
        if (_nullDevice < 0) _nullDevice = Own(_system.NullDevice(out var error), error);
        return _nullDevice;
    }

    /// <summary>The caller may dispose of it on another thread meanwhile: it is held until the child has it.</summary>
    private int NumberOf(SafeHandle handle)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        _held.Add(handle);
        return (int)handle.DangerousGetHandle();
    }

    private int Own(int fd, IoError error)
    {
        if (!error.IsNone) throw SpawnErrors.OfResources(error);
        _opened.Add(new SafeFd(_system, fd));
        return fd;
    }
}
