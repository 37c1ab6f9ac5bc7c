using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Ending;
using Sluice.Loop;

namespace Sluice.Watching;

/// <summary>One signal with a user's handler. Owned by the <see cref="SignalHandlers"/> of its loop.</summary>
internal sealed class SignalHandler : ISignalSink, ILoopMember
{
    private readonly LoopCore _core;
    private readonly LoopMembers _members;
    private readonly Action _ended;
    private readonly IoOperation _watch;
    private WatchHandle? _handle;

    /// <param name="core">Whose callback it is.</param>
    /// <param name="members">What lives on that loop.</param>
    /// <param name="signal">One that can be caught.</param>
    /// <param name="ended">Called before the watch over the signal ends.</param>
    public SignalHandler(LoopCore core, LoopMembers members, PosixSignal signal, Action ended)
    {
        _core = core;
        _members = members;
        _ended = ended;
        _watch = core.Backend.WatchSignal(signal, this);
        members.Add(this);
    }

    public EndStage Stage => EndStage.Signals;

    /// <summary>Another callback may have been there: a signal that has come already is the new one's.</summary>
    public WatchHandle Set(Action callback)
    {
        _handle?.Replace();
        return _handle = new WatchHandle(_core, callback, Remove);
    }

    public bool Remove()
    {
        if (_handle is null) return false;
        _handle.Replace();
        _handle = null;
        _members.Remove(this);
        _ended();
        _watch.Cancel();
        return true;
    }

    public void EndWithLoop() => Remove();

    public void OnSignal()
    {
        _handle?.Run();
        _core.EndStep();
    }
}
