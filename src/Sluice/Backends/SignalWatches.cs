using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>
/// The signals that one loop watches, for every backend of a real system. Owned by its backend, which is woken for each signal and then calls
/// <see cref="Report"/>.
/// </summary>
/// <remarks>
/// .NET's own handler hands a signal to the registrations of all loops, each on a thread of .NET's, and then takes the default action
/// unless one of them has cancelled that.
/// </remarks>
internal sealed class SignalWatches(IoBackend backend) : IDisposable
{
    private readonly ConcurrentQueue<SignalWatch> _heard = new();
    private readonly List<SignalWatch> _watches = [];

    public IoOperation Start(PosixSignal signal, ISignalSink sink)
    {
        var watch = new SignalWatch(this, signal, sink);
        _watches.Add(watch);
        return watch;
    }

    /// <summary>Tells the sinks. Called from Poll. What comes meanwhile has woken the backend again, and waits for the next one.</summary>
    public void Report()
    {
        for (var left = _heard.Count; left > 0 && _heard.TryDequeue(out var watch); left--) watch.Report();
    }

    public void Dispose()
    {
        foreach (var watch in _watches.ToArray()) watch.Cancel();
    }

    private void Hear(SignalWatch watch)
    {
        _heard.Enqueue(watch);
        backend.Wake();
    }

    /// <summary>One signal. The registration calls it on any thread; everything else is the loop's.</summary>
    private sealed class SignalWatch : IoOperation
    {
        private readonly SignalWatches _owner;
        private readonly ISignalSink _sink;
        private readonly bool _keepsDefault;
        private readonly PosixSignalRegistration _registration;
        private volatile bool _isCancelled;

        public SignalWatch(SignalWatches owner, PosixSignal signal, ISignalSink sink)
        {
            _owner = owner;
            _sink = sink;
            _keepsDefault = SignalNumber.IsHarmless(SignalNumber.Of(signal));
            _registration = PosixSignalRegistration.Create(signal, OnSignal);
        }

        public void Report()
        {
            if (!_isCancelled) _sink.OnSignal();
        }

        public override void Cancel()
        {
            if (_isCancelled) return;
            _isCancelled = true;
            _registration.Dispose();
            _owner._watches.Remove(this);
        }

        private void OnSignal(PosixSignalContext context)
        {
            // A signal that is on its way while the watch ends has its default effect.
            if (_isCancelled) return;
            if (!_keepsDefault) context.Cancel = true;
            _owner.Hear(this);
        }
    }
}
