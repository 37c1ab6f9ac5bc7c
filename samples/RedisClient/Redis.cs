using System.Net;
using System.Net.Sockets;
using Sluice;

namespace RedisClient;

/// <summary>A client of one server, which it keeps connected to. Any thread may call it; what it does, it does on its loop. Dispose of it before the loop.</summary>
/// <remarks>
/// <para><b>The way in.</b> A caller makes its command, on its own thread, and puts it into a list under a lock. Who finds the list empty calls the loop, once;
/// whoever comes before the loop has taken the list only adds to it. So a burst of commands costs one wake-up, and no closure.</para>
/// <para><b>On the loop.</b> No locks: everything below the line belongs to the loop's thread. The list is taken whole and written; since small writes of a pass
/// leave together, it goes out in one system call.</para>
/// <para><b>The way out.</b> A reply completes its command's task, and the caller goes on where it was: in the thread pool, or on this loop.</para>
/// </remarks>
internal sealed class Redis : IAsyncDisposable
{
    private readonly EventLoop _loop;
    private readonly EndPoint _server;
    private readonly RedisOptions _options;

    private readonly Lock _gate = new();
    private List<ICommand> _handedIn = [];
    private bool _isClosed;

    // ---- From here on: the loop's thread only.
    private readonly CancellationTokenSource _ending = new();
    private readonly Queue<ICommand> _waiting = new();
    private List<ICommand> _taken = [];
    private RedisConnection? _connection;
    private TimerHandle? _deadline;
    private Task? _keeper;

    public Redis(EventLoop loop, EndPoint server, RedisOptions? options = null)
    {
        _loop = loop;
        _server = server;
        _options = options ?? new RedisOptions();
        loop.CallSoonThreadSafe(() => _keeper = KeepConnectedAsync());
    }

    public Task<byte[]?> GetAsync(string key, CancellationToken cancellation = default) =>
        CallAsync(Request.Of(["GET", key]), static reply => reply.AsBytes(), cancellation);

    public Task SetAsync(string key, byte[] value, CancellationToken cancellation = default) =>
        CallAsync(Request.Of(["SET", key], value), static reply => reply.AsBytes(), cancellation);

    public Task<long> IncrementAsync(string key, CancellationToken cancellation = default) =>
        CallAsync(Request.Of(["INCR", key]), static reply => reply.AsInteger(), cancellation);

    /// <returns>How many there were: 1 or 0.</returns>
    public Task<long> DeleteAsync(string key, CancellationToken cancellation = default) =>
        CallAsync(Request.Of(["DEL", key]), static reply => reply.AsInteger(), cancellation);

    /// <summary>Any command.</summary>
    public Task<Reply> SendAsync(string[] words, CancellationToken cancellation = default) =>
        CallAsync(Request.Of(words), static reply => reply, cancellation);

    /// <summary>Fails what is not answered, and ends the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_isClosed) return;
            _isClosed = true;
        }

        await _loop.InvokeAsync(static self => self.EndAsync(), this);
    }

    private Task<T> CallAsync<T>(byte[] request, Func<Reply, T> convert, CancellationToken cancellation)
    {
        var command = new Command<T>(request, _loop.Time + _options.CommandTimeout, convert);
        command.CancelWith(cancellation);
        HandIn(command);
        return command.Task;
    }

    private void HandIn(ICommand command)
    {
        bool isFirst;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            isFirst = _handedIn.Count == 0;
            _handedIn.Add(command);
        }

        if (isFirst) _loop.CallSoonThreadSafe(static self => ((Redis)self!).TakeHandedIn(), this);
    }

    // ---- From here on: the loop's thread only.

    /// <summary>Sends what waits, as far as the server can take it.</summary>
    public void SendWaiting()
    {
        while (_connection is { MaySend: true } connection && _waiting.TryDequeue(out var command))
        {
            if (!command.IsDone) connection.Send(command);
        }
    }

    private void TakeHandedIn()
    {
        lock (_gate) (_taken, _handedIn) = (_handedIn, _taken);
        foreach (var command in _taken)
        {
            if (_waiting.Count < _options.MaxWaiting) _waiting.Enqueue(command);
            else command.Fail(new RedisConnectionException("Too many commands wait to be sent."));
            SendWaiting();
        }

        if (_taken.Count > 0) _deadline ??= _loop.CallAt(_taken[0].Deadline, FailOverdue);
        _taken.Clear();
    }

    /// <summary>
    /// One timer for all: they have the same time each, so who came first is due first, and those that were sent came before those that wait. It is set for the oldest, and
    /// not touched when that one is answered.
    /// </summary>
    private void FailOverdue()
    {
        var now = _loop.Time;
        var next = _connection?.FailOverdue(now);
        while (_waiting.TryPeek(out var command) && (command.IsDone || command.Deadline <= now))
        {
            _waiting.Dequeue().Fail(new TimeoutException("The server could not be reached in time."));
        }

        next ??= _waiting.TryPeek(out var oldest) ? oldest.Deadline : null;
        _deadline = next is { } when ? _loop.CallAt(when, FailOverdue) : null;
    }

    private async Task KeepConnectedAsync()
    {
        var failures = 0;
        while (!_ending.IsCancellationRequested)
        {
            if (await ServeAsync()) failures = 0;
            if (_ending.IsCancellationRequested) return;
            await Task.Delay(Rest(failures++), _loop.TimeProvider, _ending.Token)
                .ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Connects, and waits until the connection is lost.</summary>
    /// <returns>Whether the server has answered anything.</returns>
    private async Task<bool> ServeAsync()
    {
        var connection = new RedisConnection(this, _loop, _options);
        using var patience = new CancellationTokenSource(_options.ConnectTimeout, _loop.TimeProvider);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _ending.Token);
        try
        {
            await _loop.CreateConnectionAsync(() => connection, _server, cancellationToken: both.Token);
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException or ConnectionFailedException)
        {
            return false;
        }

        _connection = connection;
        SendWaiting();
        await connection.Lost;
        _connection = null;
        return connection.HasServed;
    }

    /// <summary>Half of it is certain and half is chance.</summary>
    private TimeSpan Rest(int failures)
    {
        var longest = Math.Min(_options.LongestRest.TotalMilliseconds, _options.FirstRest.TotalMilliseconds * Math.Pow(2, failures));
        return TimeSpan.FromMilliseconds(longest * (1 + _options.Random.NextDouble()) / 2);
    }

    private Task EndAsync()
    {
        TakeHandedIn();
        _ending.Cancel();
        _connection?.Abort(new ObjectDisposedException(nameof(Redis)));
        return FinishAsync();
    }

    private async Task FinishAsync()
    {
        await _keeper!;
        while (_waiting.TryDequeue(out var command)) command.Fail(new ObjectDisposedException(nameof(Redis)));
        _deadline?.Cancel();
        _ending.Dispose();
    }
}
