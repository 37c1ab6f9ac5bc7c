using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Testing.Kits;

namespace Sluice.Testing;

/// <summary>
/// A stage on one of the library's kernels, for checks that listen, connect, adopt sockets, look at names or make the kernel fail. The library
/// brings them; a transport of your own derives from <see cref="CheckStage"/>.
/// </summary>
public abstract class KernelStage : CheckStage
{
    private protected KernelStage()
    {
    }

    /// <summary>The way to make the kernel fail, or null where it cannot be told to.</summary>
    public virtual HostFaults? Faults => null;

    /// <summary>Connections are TCP ones.</summary>
    public bool IsTcp => (Offers & CheckNeeds.Tcp) != 0;

    /// <summary>The kernel guards itself against checks that do not end.</summary>
    public override TimeSpan Deadline => Timeout.InfiniteTimeSpan;

    /// <summary>What the two ends of <see cref="CheckStage.ConnectAsync"/> speak TLS with, or null where they do not.</summary>
    internal TestTls? Tls { get; init; }

    /// <summary>What the loop warned of.</summary>
    internal StageLog Log { get; } = new();

    /// <summary>What checks of datagrams ask for.</summary>
    internal abstract DatagramKit Datagrams { get; }

    /// <summary>What checks of child processes ask for.</summary>
    internal ChildKit Children => field ??= new ChildKit(Loop, IsChildLeft);

    /// <summary>The names that the loop can resolve.</summary>
    internal StageResolver Names { get; } = new();

    /// <summary>Who this program is to its Unix peers.</summary>
    internal abstract PeerCredentials Credentials { get; }

    internal override IReadOnlyList<string> Warnings => Log.Entries;

    /// <summary>A simulated kernel may refuse to take anything; a real one with an empty buffer does not.</summary>
    internal override bool TakesAtOnce => Faults is null;

    /// <summary>An address that nobody listens at yet, another one at each call.</summary>
    public abstract EndPoint CreateListenAddress();

    /// <inheritdoc/>
    protected override async Task<(ITransport Client, ITransport Server)> ConnectEndsAsync(
        Func<IProtocol<ITransport>> client, Func<IProtocol<ITransport>> server, ConnectionOptions? clientOptions, ServerOptions? serverOptions)
    {
        if (Tls is { } tls)
        {
            clientOptions = (clientOptions ?? new ConnectionOptions()) with { Tls = tls.Client };
            serverOptions = (serverOptions ?? new ServerOptions()) with { Tls = tls.Server };
        }

        var accepted = new TaskCompletionSource<BaseProtocol>(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = await Loop.CreateServerAsync(
            () =>
            {
                var protocol = server();
                accepted.TrySetResult(protocol.Instance);
                return protocol;
            },
            CreateListenAddress(),
            serverOptions);
        var (transport, _) = await Loop.CreateConnectionAsync(client, listener.EndPoints[0], clientOptions);
        var serverProtocol = await accepted.Task;
        var record = RecordOf(serverProtocol);
        if (record is not null) await record.Made;
        listener.Close();
        return (transport, record?.Transport ?? (ITransport)serverProtocol.Serves!);
    }

    /// <summary>What a kernel of this family offers besides what only it has.</summary>
    private protected static CheckNeeds OffersOfFamily(bool isUnix) =>
        CheckNeeds.Kernel | CheckNeeds.HalfClose | CheckNeeds.BufferLimit | CheckNeeds.Alone
        | (isUnix ? CheckNeeds.Unix | CheckNeeds.DatagramRoom : CheckNeeds.Tcp | CheckNeeds.Reset);

    internal override (int Low, int High) DefaultLimits => Tls is null ? base.DefaultLimits : (128 * 1024, 512 * 1024);

    /// <summary>What a TLS connection over a kernel's offers: neither a half-close nor the reset of the connection below.</summary>
    private protected static CheckNeeds OffersOverTls => CheckNeeds.BufferLimit;

    /// <summary>Waits for a number of the shortest spans in which anything may happen: passes, and between them the steps of simulated time.</summary>
    internal virtual Task InstantsAsync(int count) => PassesAsync(count);

    internal override IEnumerable<string> OtherViolations => Datagrams.Violations.Concat(Children.Violations);

    internal override string DescribeOthers() => Datagrams.Describe() + Children.Describe();

    internal override async Task CloseOthersAsync()
    {
        await Datagrams.CloseAsync();
        await Children.CloseAsync();
    }

    /// <summary>Whether a process that this program has started runs still or is a zombie.</summary>
    internal abstract bool IsChildLeft(int processId);

    /// <summary>Lets a child that is about to end do so, if possible without the loop's noticing.</summary>
    internal abstract Task AwaitEndUnnoticedAsync(ISubprocessTransport child);

    /// <summary>Has somebody else ask for a child's exit status before the loop can.</summary>
    internal abstract void StealExitStatus(int processId);

    /// <summary>Lets the loop's clock go on, and everything happen that is due then.</summary>
    internal abstract Task PassTimeAsync(TimeSpan time);

    internal override void VerifyReleased(ITransport transport) => Check.Equal(-1, transport.GetExtraInfo(ExtraInfo.Socket)!.Handle);

    /// <summary>For TCP: an IPv4 address of this machine, another one at each call, that refuses connects to a port.</summary>
    internal abstract IPAddress CreateRefusingAddress(int port);

    /// <summary>For TCP: an IPv4 address of this machine, another one at each call, that never answers connects to a port.</summary>
    internal abstract IPAddress CreateSilentAddress(int port);

    /// <summary>Two connected sockets that no transport holds yet.</summary>
    internal abstract (SafeHandle First, SafeHandle Second) CreateSocketPair();

    /// <summary>The two ends of a pipe that no transport holds yet.</summary>
    internal abstract (SafeHandle Reader, SafeHandle Writer) CreatePipe();

    /// <summary>Sends the loop's program a signal that a handler is there for; it has come when this returns, and waits for the loop.</summary>
    internal abstract void SendSignal(PosixSignal signal);

    /// <summary>A bound socket that no server holds yet.</summary>
    /// <param name="address">Where.</param>
    /// <param name="listens">Whether it listens already.</param>
    internal abstract SafeHandle CreateBoundSocket(EndPoint address, bool listens);

    /// <summary>Where a bound socket of <see cref="CreateBoundSocket"/> is bound.</summary>
    internal abstract EndPoint AddressOf(SafeHandle socket);

    /// <summary>Sets SO_LINGER on a socket that nobody of the library's holds yet, connected or listening.</summary>
    internal abstract void SetLinger(SafeHandle socket, int seconds);

    /// <summary>Sets SO_RCVLOWAT, likewise.</summary>
    internal abstract void SetReceiveLowWater(SafeHandle socket, int bytes);

    /// <summary>A Unix address without a file, another one at each call.</summary>
    internal abstract UnixDomainSocketEndPoint CreateAbstractAddress();

    /// <summary>Puts a regular file where nothing lies.</summary>
    internal abstract void PutFile(string path);

    /// <summary>Puts the socket of a server that has died where nothing lies.</summary>
    internal abstract void PutStaleSocket(string path);

    internal abstract void RemoveFile(string path);

    /// <summary>What tells the file at a path from every other, or null where there is none.</summary>
    internal abstract object? IdentityOf(string path);
}
