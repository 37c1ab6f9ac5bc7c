using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;

namespace Sluice;

/// <summary>The readers and writers that users have added to a loop, by descriptor. Owned by the loop; on its thread.</summary>
internal sealed class DescriptorWatches(EventLoop loop)
{
    private readonly Dictionary<nint, Watch> _watches = [];

    public Handle Add(SafeHandle handle, Action callback, bool forReading)
    {
        ArgumentNullException.ThrowIfNull(callback);
        loop.Core.VerifyUsable();
        var descriptor = Check(handle);
        if (_watches.TryGetValue(descriptor, out var watch) && watch.IsStale) watch.Drop();
        if (watch is null or { IsStale: true }) _watches[descriptor] = watch = new Watch(this, descriptor, handle);
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
        if (loop.Residents.Transports().FirstOrDefault(transport => transport.Channel.Handle == descriptor) is { } owner)
        {
            throw new InvalidOperationException($"Descriptor {descriptor} is used by transport {owner}.");
        }

        return descriptor;
    }

    /// <summary>One descriptor with up to two callbacks.</summary>
    private sealed class Watch : IWatchSink
    {
        private readonly DescriptorWatches _owner;
        private readonly LoopCore _loop;
        private readonly nint _descriptor;
        private readonly SafeHandle _handle;
        private readonly WatchChannel _channel;
        private WatchHandle? _reader;
        private WatchHandle? _writer;

        public Watch(DescriptorWatches owner, nint descriptor, SafeHandle handle)
        {
            _owner = owner;
            _loop = owner.LoopCore;
            _descriptor = descriptor;
            _handle = handle;
            _channel = _loop.Backend.Watch(handle, this);
        }

        /// <summary>The user has closed the handle without ending the watch, and the number may be another's now.</summary>
        public bool IsStale => _handle.IsClosed;

        public void Drop()
        {
            _reader?.Replace();
            _writer?.Replace();
            _owner._watches.Remove(_descriptor);
            _channel.Close();
        }

        public WatchHandle Set(Action callback, bool forReading)
        {
            ref var slot = ref Slot(forReading);
            slot?.Replace();
            slot = new WatchHandle(_loop, callback, () => Remove(forReading));
            ApplyInterest();
            return slot;
        }

        public bool Remove(bool forReading)
        {
            ref var slot = ref Slot(forReading);
            if (slot is null) return false;
            slot.Replace();
            slot = null;
            ApplyInterest();
            return true;
        }

        public void OnReadable()
        {
            _reader?.Run();
            _loop.EndStep();
        }

        public void OnWritable()
        {
            _writer?.Run();
            _loop.EndStep();
        }

        private ref WatchHandle? Slot(bool forReading) => ref forReading ? ref _reader : ref _writer;

        private void ApplyInterest()
        {
            if (_reader is null && _writer is null)
            {
                _owner._watches.Remove(_descriptor);
                _channel.Close();
                return;
            }

            _channel.SetInterest(_reader is not null, _writer is not null);
        }
    }

    private LoopCore LoopCore => loop.Core;
}
