using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Sluice.Backends.Linux.Addresses;

/// <summary>
/// Looks names up off the loop's thread, because the system's resolver blocks, and reports on it. Owned by its backend, which is woken
/// for each answer and then calls <see cref="Report"/>.
/// </summary>
internal sealed class NameResolution(IoBackend backend)
{
    private readonly ConcurrentQueue<Lookup> _answered = new();

    public IoOperation Resolve(string host, AddressFamily family, ILookupSink<IReadOnlyList<IPAddress>> sink) =>
        Start(sink, async () =>
        {
            var addresses = await Dns.GetHostAddressesAsync(host, family).ConfigureAwait(false);
            return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.HostNotFound);
        });

    public IoOperation Reverse(IPAddress address, ILookupSink<string> sink) =>
        Start(sink, async () =>
        {
            // .NET takes these for a mistake; they are addresses that have no name.
            if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) throw new SocketException((int)SocketError.HostNotFound);
            return (await Dns.GetHostEntryAsync(address).ConfigureAwait(false)).HostName;
        });

    /// <summary>Tells the sinks. Called from Poll.</summary>
    public void Report()
    {
        while (_answered.TryDequeue(out var lookup)) lookup.Report();
    }

    private Lookup<TAnswer> Start<TAnswer>(ILookupSink<TAnswer> sink, Func<Task<TAnswer>> ask)
    {
        var lookup = new Lookup<TAnswer>(sink);
        _ = RunAsync(lookup, ask);
        return lookup;
    }

    private async Task RunAsync<TAnswer>(Lookup<TAnswer> lookup, Func<Task<TAnswer>> ask)
    {
        try
        {
            lookup.Answer(await ask().ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            lookup.Fail(exception);
        }

        _answered.Enqueue(lookup);
        backend.Wake();
    }

    private abstract class Lookup : IoOperation
    {
        public abstract void Report();
    }

    /// <summary>One question. The answer is set on any thread before it is queued, the sink is touched on the loop's thread only.</summary>
    private sealed class Lookup<TAnswer>(ILookupSink<TAnswer> sink) : Lookup
    {
        private ILookupSink<TAnswer>? _sink = sink;
        private TAnswer? _answer;
        private Exception? _failure;

        public void Answer(TAnswer answer) => _answer = answer;

        public void Fail(Exception failure) => _failure = failure;

        public override void Report()
        {
            if (_sink is not { } sink) return;
            _sink = null;
            if (_failure is null) sink.OnFound(_answer!);
            else sink.OnNotFound(_failure);
        }

        public override void Cancel() => _sink = null;
    }
}
