using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>The readers and writers that users have added to a loop, by descriptor. Owned by the loop; on its thread.</summary>
internal sealed class DescriptorWatches(EventLoop loop)
{
    private readonly Dictionary<nint, DescriptorWatch> _watches = [];

    public Handle Add(SafeHandle handle, Action callback, bool forReading)
    {
        ArgumentNullException.ThrowIfNull(callback);
        loop.Core.VerifyUsable();
        var descriptor = Check(handle);
        if (_watches.TryGetValue(descriptor, out var watch) && watch.IsStale) watch.EndWithLoop();
        if (watch is null or { IsStale: true }) _watches[descriptor] = watch = new DescriptorWatch(loop, handle, () => _watches.Remove(descriptor));
        return watch.Set(callback, forReading);
    }

    public bool Remove(SafeHandle handle, bool forReading)
    {
        loop.Core.VerifyThread();
        if (loop.IsClosed) return false;
        return _watches.TryGetValue(Check(handle), out var watch) && watch.Remove(forReading);
    }

    private nint Check(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        ObjectDisposedException.ThrowIf(handle.IsClosed, handle);
        var descriptor = handle.DangerousGetHandle();
        if (loop.Residents.Transports().FirstOrDefault(transport => transport.Handle == descriptor) is { } owner)
        {
            throw new InvalidOperationException($"Descriptor {descriptor} is used by transport {owner}.");
        }

        return descriptor;
    }
}
