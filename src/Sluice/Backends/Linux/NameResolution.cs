using System.Collections.Concurrent;
using System.Net;

namespace Sluice.Backends.Linux;

/// <summary>
/// Looks names up off the loop's thread, because the system's resolver blocks, and reports on it. Owned by its backend, which is woken
/// for each answer and then calls <see cref="Report"/>.
/// </summary>
internal sealed class NameResolution(IoBackend backend)
{
    private readonly ConcurrentQueue<Lookup> _answered = new();

    public IoOperation Start(string host, int port, IResolveSink sink)
    {
        var lookup = new Lookup(port, sink);
        _ = RunAsync(lookup, host);
        return lookup;
    }

    /// <summary>Tells the sinks. Called from Poll.</summary>
    public void Report()
    {
        while (_answered.TryDequeue(out var lookup)) lookup.Report();
    }

    private async Task RunAsync(Lookup lookup, string host)
    {
        try
        {
            lookup.Answer(await Dns.GetHostAddressesAsync(host).ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            lookup.Fail(exception);
        }

        _answered.Enqueue(lookup);
        backend.Wake();
    }

    /// <summary>One question. The answer is set on any thread before it is queued, the sink is touched on the loop's thread only.</summary>
    private sealed class Lookup(int port, IResolveSink sink) : IoOperation
    {
        private IResolveSink? _sink = sink;
        private IPEndPoint[]? _addresses;
        private Exception? _failure;

        public void Answer(IPAddress[] addresses) => _addresses = Array.ConvertAll(addresses, address => new IPEndPoint(address, port));

        public void Fail(Exception failure) => _failure = failure;

        public void Report()
        {
            if (_sink is not { } sink) return;
            _sink = null;
            if (_failure is null) sink.OnResolved(_addresses!);
            else sink.OnResolveFailed(_failure);
        }

        public override void Cancel() => _sink = null;
    }
}
