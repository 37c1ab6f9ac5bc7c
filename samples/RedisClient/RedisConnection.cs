using Sluice;

namespace RedisClient;

/// <summary>One connection: writes commands, and gives each reply to the oldest that waits for one. Lives on the loop's thread.</summary>
internal sealed class RedisConnection(Redis owner, EventLoop loop, RedisOptions options) : Protocol
{
    private readonly Queue<ICommand> _sent = new();
    private readonly ReplyReader _replies = new(options.MaxReplySize);
    private readonly TaskCompletionSource _lost = new();
    private ITransport? _transport;
    private Exception? _reason;

    /// <summary>It is over. A Task of the library's own use: nobody else awaits it.</summary>
    public Task Lost => _lost.Task;

    /// <summary>The server has answered: this is a Redis server, and it works.</summary>
    public bool HasServed { get; private set; }

    /// <summary>False while the server reads too slowly: what is to be sent waits where it can still be given up.</summary>
    public bool MaySend { get; private set; } = true;

    /// <summary>When the server was last heard.</summary>
    public TimeSpan LastHeard { get; private set; } = loop.Time;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    /// <summary>Small writes wait for the end of the step: a burst of commands leaves in one system call.</summary>
    public void Send(ICommand command)
    {
        _sent.Enqueue(command);
        _transport!.Write(command.Request);
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        LastHeard = loop.Time;
        try
        {
            while (_replies.TryRead(ref data, out var reply))
            {
                if (!_sent.TryDequeue(out var command)) throw new RedisProtocolException("The server sent a reply that nobody had asked for.");
                HasServed = true;
                command.Complete(reply);
            }
        }
        catch (RedisProtocolException exception)
        {
            // Where one reply ends and the next begins is not known any more.
            Abort(exception);
        }
    }

    public override void PauseWriting() => MaySend = false;

    public override void ResumeWriting()
    {
        MaySend = true;
        owner.SendWaiting();
    }

    public override void ConnectionLost(Exception? exception)
    {
        MaySend = false;
        var reason = new RedisConnectionException("The connection to the server was lost before it answered.", _reason ?? exception);
        while (_sent.TryDequeue(out var command)) command.Fail(reason);
        _lost.SetResult();
    }

    /// <summary>Fails those whose time is over. A server from which nothing has come in that time does not live any more.</summary>
    /// <returns>When the next one's time is over.</returns>
    public TimeSpan? FailOverdue(TimeSpan now)
    {
        foreach (var command in _sent)
        {
            if (command.IsDone) continue;
            if (command.Deadline > now) return command.Deadline;
            command.Fail(new TimeoutException("The server did not answer in time. Whether it has carried out the command is not known."));
            if (now - LastHeard >= options.CommandTimeout) Abort(new TimeoutException("The server was silent for too long."));
        }

        return null;
    }

    public void Abort(Exception reason)
    {
        _reason ??= reason;
        _transport!.Abort();
    }
}
