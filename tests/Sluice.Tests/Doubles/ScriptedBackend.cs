using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Tests.Doubles;

/// <summary>A kernel that does what its test has written down: each entry is one event, reported from inside the next Poll.</summary>
internal sealed class ScriptedBackend : IoBackend
{
    private readonly Queue<Func<bool>> _events = new();
    private bool _isWoken;

    public ManualClock Time { get; } = new();

    public override IClock Clock => Time;

    public override int DescriptorLimit => int.MaxValue;

    public override bool SupportsReusePort => true;

    /// <summary>How long each Poll was allowed to wait.</summary>
    public List<TimeSpan> Waits { get; } = [];

    /// <summary>What the transports above did that the seam forbids. Kept apart: an exception would look like one of a callback.</summary>
    public List<string> Violations { get; } = [];

    public bool IsPolling { get; private set; }

    public bool IsDisposed { get; private set; }

    /// <summary>How much time a Poll without events takes, beyond what it may wait for.</summary>
    public TimeSpan CostOfPoll { get; set; }

    /// <summary>Runs in every Poll, before its events.</summary>
    public Action? Polled { get; set; }

    /// <summary>Adds an event to the next Poll.</summary>
    public void Script(Action report) => _events.Enqueue(() =>
    {
        report();
        return true;
    });

    /// <summary>Adds something that happens in the next Poll without reaching a sink.</summary>
    public void ScriptSilence(Action happening) => _events.Enqueue(() =>
    {
        happening();
        return false;
    });

    public void Require(bool law, string broken)
    {
        if (!law) Violations.Add(broken);
    }

    public override bool Poll(TimeSpan timeout)
    {
        Require(!IsPolling, "Poll inside Poll");
        Waits.Add(timeout);
        Wakeups++;
        IsPolling = true;
        var reported = false;
        Polled?.Invoke();
        if (_events.Count == 0) Rest(timeout);
        for (var left = _events.Count; left > 0; left--) reported |= _events.Dequeue()();
        _isWoken = false;
        IsPolling = false;
        return reported;
    }

    public override void Wake() => _isWoken = true;

    public override IoOperation Connect(EndPoint? local, EndPoint remote, StreamOptions options, IConnectSink sink) => throw new NotSupportedException();

    public override IoOperation Resolve(string host, AddressFamily family, ILookupSink<IReadOnlyList<IPAddress>> sink) => throw new NotSupportedException();

    public override IoOperation Reverse(IPAddress address, ILookupSink<string> sink) => throw new NotSupportedException();

    public override ListenChannel Listen(EndPoint local, ServerOptions options, IListenSink sink) => throw new NotSupportedException();

    public override ListenChannel AdoptListener(SafeHandle socket, ListenerOwnership ownership, ServerOptions options, IListenSink sink) => throw new NotSupportedException();

    public override StreamChannel Adopt(SafeHandle socket, StreamOptions options) => throw new NotSupportedException();

    public override DatagramChannel OpenDatagram(AddressFamily family, EndPoint? local, EndPoint? remote, DatagramOptions options) => throw new NotSupportedException();

    public override DatagramChannel AdoptDatagram(SafeHandle socket, DatagramOptions options) => throw new NotSupportedException();

    public override WatchChannel Watch(SafeHandle handle, IWatchSink sink) => throw new NotSupportedException();

    public override IoOperation WatchSignal(PosixSignal signal, ISignalSink sink) => throw new NotSupportedException();

    public override void Dispose() => IsDisposed = true;

    private void Rest(TimeSpan timeout)
    {
        Time.Now += CostOfPoll;
        if (_isWoken || timeout == TimeSpan.Zero) return;
        Require(timeout != Timeout.InfiniteTimeSpan, "waits for ever for an event that the script does not have");
        if (timeout != Timeout.InfiniteTimeSpan) Time.Now += timeout;
    }
}
