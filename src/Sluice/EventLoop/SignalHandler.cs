using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;

namespace Sluice;

/// <summary>One signal with a user's handler. Owned by the <see cref="SignalHandlers"/> of its loop.</summary>
internal sealed class SignalHandler : ISignalSink, IResident
{
    private readonly EventLoop _loop;
    private readonly Action _ended;
    private readonly IoOperation _watch;
    private WatchHandle? _handle;

    /// <param name="loop">Whose callback it is.</param>
    /// <param name="signal">One that can be caught.</param>
    /// <param name="ended">Called before the watch over the signal ends.</param>
    public SignalHandler(EventLoop loop, PosixSignal signal, Action ended)
    {
        _loop = loop;
        _ended = ended;
        _watch = loop.Core.Backend.WatchSignal(signal, this);
        loop.Residents.Add(this);
    }

    /// <summary>Another callback may have been there: a signal that has come already is the new one's.</summary>
    public WatchHandle Set(Action callback)
    {
        _handle?.Replace();
        return _handle = new WatchHandle(_loop.Core, callback, Remove);
    }

    public bool Remove()
    {
        if (_handle is null) return false;
        _handle.Replace();
        _handle = null;
        _loop.Residents.Remove(this);
        _ended();
        _watch.Cancel();
        return true;
    }

    public void EndWithLoop() => Remove();

    public void OnSignal()
    {
        _handle?.Run();
        _loop.Core.EndStep();
    }
}
