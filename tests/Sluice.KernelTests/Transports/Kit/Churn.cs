using System.Net;
using System.Net.Sockets;

namespace Sluice.KernelTests.Transports.Kit;

/// <summary>
/// Short connections between two loops of this process, on a thread each, in every way in which a connection can end. Owned by its test.
/// </summary>
/// <remarks>
/// The servers listen on every address, and the connections go to 16,000 of 127.0.0.0/8 in turn: so the ports that rest in TIME_WAIT, on
/// whichever side, cannot run out.
/// </remarks>
internal sealed class Churn : IAsyncDisposable
{
    private const int AtOnce = 32;

    /// <summary>How long the last connections may take: much longer than any of them lingers.</summary>
    private static readonly TimeSpan LetGoWithin = TimeSpan.FromSeconds(20);

    private readonly EventLoop _calling = EventLoop.Start(new EventLoopOptions { Backend = LoopBackend.Epoll });
    private readonly EventLoop _serving = EventLoop.Start(new EventLoopOptions { Backend = LoopBackend.Epoll });
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");
    private readonly List<Server> _servers = [];
    private Canaries _canaries = null!;
    private int _begun;
    private Exception? _unexpected;

    private Churn()
    {
    }

    private EndPoint UnixAddress => _servers[0].EndPoints[0];

    public static async Task<Churn> StartAsync()
    {
        var churn = new Churn();
        var any = new IPEndPoint(IPAddress.Any, 0);
        var unix = new UnixDomainSocketEndPoint(Path.Combine(churn._folder.FullName, "s"));
        await churn._serving.InvokeAsync(() =>
        {
            churn._serving.ExceptionHandler = (_, report) =>
            {
                if (report.Exception is not FormatException) churn._unexpected ??= report.Exception ?? new InvalidOperationException(report.Message);
            };
            return Task.CompletedTask;
        });
        var options = new ServerOptions { Backlog = 1024 };
        churn._servers.Add(await churn._serving.CreateServerAsync(static () => new ChurnServed(), unix, options));
        churn._servers.Add(await churn._serving.CreateServerAsync(static () => new ChurnServed(), any, options));
        churn._servers.Add(await churn._serving.CreateServerAsync(static () => throw new FormatException(), any, options));
        await churn._calling.InvokeAsync(() =>
        {
            churn._canaries = new Canaries(16);
            return Task.CompletedTask;
        });
        return churn;
    }

    /// <summary>Makes and ends this many connections, and waits until both loops have let go of all.</summary>
    public async Task RunAsync(int count)
    {
        var end = _begun + count;
        await _calling.InvokeAsync(() => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => WorkAsync(end))));

        // Queues are first in, first out: behind these nobody waits to be accepted.
        await _calling.InvokeAsync(async () =>
        {
            await CallAsync(UnixAddress, ChurnServed.Close);
            await CallAsync(AddressOf(_servers[1], 0), ChurnServed.Close);
            await SeeTheEndAsync(AddressOf(_servers[2], 0));
        });
        foreach (var loop in new[] { _calling, _serving })
        {
            await loop.InvokeAsync(async () =>
            {
                while (loop.Core.OpenChannels > 0) await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
            }).WaitAsync(LetGoWithin);
        }
    }

    /// <summary>Fails where the serving loop has reported anything but the factories that throw.</summary>
    public Task VerifyAsync() => _serving.InvokeAsync(() =>
    {
        Assert.Null(_unexpected);
        return Task.CompletedTask;
    });

    public async ValueTask DisposeAsync()
    {
        await _calling.InvokeAsync(() =>
        {
            _canaries.Dispose();
            return Task.CompletedTask;
        });
        await _calling.DisposeAsync();
        await _serving.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static IPEndPoint AddressOf(Server server, int number) => new(
        new IPAddress([127, 1, (byte)(number / 250 % 64), (byte)(1 + number % 250)]), ((IPEndPoint)server.EndPoints[0]).Port);

    private async Task WorkAsync(int end)
    {
        while (_begun < end)
        {
            var number = _begun++;
            if (number % 64 == 0) _canaries.Renew();
            await RunOneAsync(number);
        }
    }

    private Task RunOneAsync(int number)
    {
        // Eleven kinds, and every third over a Unix socket: each kind meets both.
        EndPoint address = number % 3 == 0 ? UnixAddress : AddressOf(_servers[1], number);
        return (number % 11) switch
        {
            0 => CallAsync(address, ChurnServed.Echo, static transport => transport.Close()),
            1 => CallAsync(address, ChurnServed.Echo, static transport => transport.Abort()),
            2 => CallAsync(address, ChurnServed.Close),
            3 => SufferAbortAsync(address),
            4 => HalfCloseAsync(address),
            5 => SeeTheEndAsync(AddressOf(_servers[2], number)),
            6 => Assert.ThrowsAsync<FormatException>(() => _calling.CreateConnectionAsync<ChurnCaller>(static () => throw new FormatException(), address)),
            7 => CancelAsync(address),
            8 => LeaveAtOnceAsync(address, static transport => transport.Close()),
            9 => LeaveAtOnceAsync(address, static transport => transport.Abort()),
            _ => ResetFromOutside(address),
        };
    }

    /// <summary>Sends one byte, gets it back, and ends the connection, or lets the server end it.</summary>
    private async Task CallAsync(EndPoint address, byte command, Action<ITransport>? end = null)
    {
        var (transport, caller) = await _calling.CreateConnectionAsync(static () => new ChurnCaller(), address);
        transport.Write([command]);
        await caller.Replied;
        end?.Invoke(transport);
        Assert.Null(await caller.Lost);
        Assert.Equal(1, caller.Received);
    }

    // Only TCP can say that the peer has aborted.
    private async Task SufferAbortAsync(EndPoint address)
    {
        var (transport, caller) = await _calling.CreateConnectionAsync(static () => new ChurnCaller(), address);
        transport.Write([ChurnServed.Abort]);
        var reason = await caller.Lost;
        if (address is IPEndPoint) Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(reason).SocketErrorCode);
        else Assert.Null(reason);
    }

    private async Task HalfCloseAsync(EndPoint address)
    {
        var (transport, caller) = await _calling.CreateConnectionAsync(static () => new ChurnCaller(), address);
        transport.Write([ChurnServed.HalfClose]);
        transport.WriteEof();
        Assert.Null(await caller.Lost);
        Assert.Equal(1, caller.Received);
    }

    private async Task SeeTheEndAsync(EndPoint address)
    {
        var (_, caller) = await _calling.CreateConnectionAsync(static () => new ChurnCaller(), address);
        Assert.Null(await caller.Lost);
    }

    private async Task LeaveAtOnceAsync(EndPoint address, Action<ITransport> leave)
    {
        var (transport, caller) = await _calling.CreateConnectionAsync(static () => new ChurnCaller(), address);
        leave(transport);
        Assert.Null(await caller.Lost);
    }

    private async Task CancelAsync(EndPoint address)
    {
        using var giveUp = new CancellationTokenSource();
        var connect = _calling.CreateConnectionAsync(static () => new ChurnCaller(), address, cancellationToken: giveUp.Token);
        giveUp.Cancel();

        // A number that is given back twice would be a canary's.
        _canaries.Renew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
    }

    /// <summary>An ordinary socket that sends, and resets without reading.</summary>
    private static Task ResetFromOutside(EndPoint address)
    {
        using var peer = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(address);
        peer.Send([ChurnServed.Echo]);
        if (address is IPEndPoint) peer.LingerState = new LingerOption(true, 0);
        return Task.CompletedTask;
    }
}
