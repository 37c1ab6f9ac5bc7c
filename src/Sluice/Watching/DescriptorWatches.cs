using System.Runtime.InteropServices;
using Sluice.Ending;
using Sluice.Loop;

namespace Sluice.Watching;

/// <summary>The readers and writers that users have added to a loop, by descriptor. Owned by the loop; on its thread.</summary>
internal sealed class DescriptorWatches(LoopCore core, LoopMembers members)
{
    private readonly Dictionary<nint, DescriptorWatch> _watches = [];

    public Handle Add(SafeHandle handle, Action callback, bool forReading)
    {
        ArgumentNullException.ThrowIfNull(callback);
        core.VerifyUsable();
        var descriptor = Check(handle);
        if (_watches.TryGetValue(descriptor, out var watch) && watch.IsStale) watch.EndWithLoop();
        if (watch is null or { IsStale: true }) _watches[descriptor] = watch = new DescriptorWatch(core, members, handle, () => _watches.Remove(descriptor));
        return watch.Set(callback, forReading);
    }

    public bool Remove(SafeHandle handle, bool forReading)
    {
        core.VerifyThread();
        if (core.IsClosed) return false;
        return _watches.TryGetValue(Check(handle), out var watch) && watch.Remove(forReading);
    }

    private nint Check(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ObjectDisposedException.ThrowIf(handle.IsClosed, handle);
        var descriptor = handle.DangerousGetHandle();
        if (members.Transports().FirstOrDefault(transport => transport.Handle == descriptor) is { } owner)
        {
            throw new InvalidOperationException($"Descriptor {descriptor} is used by transport {owner}.");
        }

        return descriptor;
    }
}
