using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Ending;
using Sluice.Loop;

namespace Sluice.Watching;

/// <summary>One descriptor with a user's reader, writer, or both. Owned by the <see cref="DescriptorWatches"/> of its loop.</summary>
internal sealed class DescriptorWatch : IWatchSink, ILoopMember
{
    private readonly LoopCore _core;
    private readonly LoopMembers _members;
    private readonly SafeHandle _handle;
    private readonly Action _ended;
    private readonly WatchChannel _channel;
    private WatchHandle? _reader;
    private WatchHandle? _writer;

    /// <param name="core">Whose callbacks they are.</param>
    /// <param name="members">What lives on that loop.</param>
    /// <param name="handle">What is watched; it stays the user's.</param>
    /// <param name="ended">Called when neither reader nor writer is left.</param>
    public DescriptorWatch(LoopCore core, LoopMembers members, SafeHandle handle, Action ended)
    {
        _core = core;
        _members = members;
        _handle = handle;
        _ended = ended;
        _channel = core.Backend.Watch(handle, this);
        members.Add(this);
    }

    public EndStage Stage => EndStage.Watches;

    /// <summary>The user has closed the handle without ending the watch, and the number may be another's now.</summary>
    public bool IsStale => _handle.IsClosed;

    public WatchHandle Set(Action callback, bool forReading)
    {
        ref var slot = ref Slot(forReading);
        slot?.Replace();
        slot = new WatchHandle(_core, callback, () => Remove(forReading));
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

    public void EndWithLoop()
    {
        Remove(forReading: true);
        Remove(forReading: false);
    }

    public void OnReadable()
    {
        _reader?.Run();
        _core.EndStep();
    }

    public void OnWritable()
    {
        _writer?.Run();
        _core.EndStep();
    }

    private ref WatchHandle? Slot(bool forReading) => ref forReading ? ref _reader : ref _writer;

    private void ApplyInterest()
    {
        if (_reader is not null || _writer is not null)
        {
            _channel.SetInterest(_reader is not null, _writer is not null);
            return;
        }

        _channel.Close();
        _members.Remove(this);
        _ended();
    }
}
