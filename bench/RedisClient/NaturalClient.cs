using RedisClient;

namespace Sluice.RedisBench;

/// <summary>What one writes first: a protocol with a queue of futures. Its callers live on the loop.</summary>
internal sealed class NaturalClient(bool usesFutures) : Protocol
{
    private readonly Queue<TaskCompletionSource<byte[]?>> _asked = new();
    private readonly ReplyReader _replies = new(1 << 20);
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public Task<byte[]?> GetAsync(string key)
    {
        var reply = usesFutures ? EventLoop.Current.CreateFuture<byte[]?>() : new TaskCompletionSource<byte[]?>();
        _asked.Enqueue(reply);
        _transport!.Write(Request.Of(["GET", key]));
        return reply.Task;
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        while (_replies.TryRead(ref data, out var reply)) _asked.Dequeue().SetResult(reply.AsBytes());
    }
}
