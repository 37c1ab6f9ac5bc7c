using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sluice.Testing;

/// <summary>
/// Where a check runs: a loop over one kernel, connections of one address family, and what was reported meanwhile. One stage per run of
/// one check; used on the loop's thread.
/// </summary>
public abstract class CheckStage
{
    private readonly List<ExceptionContext> _reports = [];
    private readonly List<ProtocolRecord> _records = [];

    /// <summary>The loop that carries both ends of every connection.</summary>
    public abstract EventLoop Loop { get; }

    /// <summary>What this stage has for checks that need more than a connection.</summary>
    public abstract CheckNeeds Offers { get; }

    /// <summary>The way to make the kernel fail, or null where it cannot be told to.</summary>
    public virtual HostFaults? Faults => null;

    /// <summary>Connections are TCP ones: an abort is seen as a reset.</summary>
    public bool IsTcp => (Offers & CheckNeeds.Tcp) != 0;

    /// <summary>What the loop's exception handler was told and no check has claimed yet.</summary>
    public IReadOnlyList<ExceptionContext> Reports => _reports;

    /// <summary>What the loop warned of.</summary>
    internal StageLog Log { get; } = new();

    /// <summary>The names that the loop can resolve.</summary>
    internal StageResolver Names { get; } = new();

    /// <summary>An address that nobody listens at yet, another one at each call.</summary>
    public abstract EndPoint CreateListenAddress();

    /// <summary>
    /// Connects two protocols: recording ones unless others are given. Both are made and read, and the listener is closed, when it returns;
    /// data may have arrived.
    /// </summary>
    /// <param name="client">Makes the protocol that connects.</param>
    /// <param name="server">Makes the protocol that is accepted.</param>
    /// <param name="clientOptions">How the client's connection behaves.</param>
    /// <param name="serverOptions">How the server's connection behaves.</param>
    public async Task<StreamPair> ConnectAsync(
        Func<IProtocol<ITransport>>? client = null,
        Func<IProtocol<ITransport>>? server = null,
        ConnectionOptions? clientOptions = null,
        ServerOptions? serverOptions = null)
    {
        var accepted = new TaskCompletionSource<IProtocol<ITransport>>(TaskCreationOptions.RunContinuationsAsynchronously);
        var listener = await Loop.CreateServerAsync(
            () =>
            {
                var protocol = server?.Invoke() ?? new RecordingProtocol();
                Watch(protocol.Instance);
                accepted.TrySetResult(protocol);
                return protocol;
            },
            CreateListenAddress(),
            serverOptions);
        var (transport, clientProtocol) = await Loop.CreateConnectionAsync(
            () =>
            {
                var protocol = client?.Invoke() ?? new RecordingProtocol();
                Watch(protocol.Instance);
                return protocol;
            },
            listener.EndPoints[0],
            clientOptions);
        var serverProtocol = (await accepted.Task).Instance;
        var record = RecordOf(serverProtocol);
        if (record is not null) await record.Made;

        // Reading begins in a turn behind the caller's; a check starts with both ends reading.
        await PassesAsync(2);
        listener.Close();
        return new StreamPair(transport, clientProtocol.Instance, record?.Transport ?? (ITransport)serverProtocol.Serves!, serverProtocol);
    }

    /// <summary>Has the stage watch over a recording protocol that a check connects itself: its contract, and that it is lost in the end.</summary>
    /// <param name="protocol">The protocol.</param>
    /// <returns>The protocol.</returns>
    public T Watch<T>(T protocol) where T : BaseProtocol
    {
        if (RecordOf(protocol) is { } record && !_records.Contains(record)) _records.Add(record);
        return protocol;
    }

    /// <summary>Takes the oldest report: the check expected it. Fails where there is none.</summary>
    public ExceptionContext ClaimReport()
    {
        Check.That(_reports.Count > 0, "the exception handler was not called");
        var report = _reports[0];
        _reports.RemoveAt(0);
        return report;
    }

    /// <summary>Lets the loop make one pass: what is ready runs, the kernel is asked once.</summary>
    public async Task NextPassAsync()
    {
        Loop.Core.VerifyThread();
        await Task.Yield();
    }

    /// <summary>Lets the loop make a number of passes.</summary>
    /// <param name="count">How many.</param>
    public async Task PassesAsync(int count)
    {
        for (var i = 0; i < count; i++) await NextPassAsync();
    }

    /// <summary>Lets everything under way happen: what has been sent arrives, what is ready runs. For checks that something does <i>not</i> happen.</summary>
    public abstract Task SettleAsync();

    /// <summary>Waits until a fact holds that no callback announces, such as an empty write buffer.</summary>
    /// <param name="condition">The fact.</param>
    public async Task UntilAsync(Func<bool> condition)
    {
        while (!condition()) await StepAsync();
    }

    /// <summary>Waits for a number of the shortest spans in which anything may happen: passes, and between them the steps of simulated time.</summary>
    internal virtual Task InstantsAsync(int count) => PassesAsync(count);

    /// <summary>For TCP: an IPv4 address of this machine, another one at each call, that refuses connects to a port.</summary>
    internal abstract IPAddress CreateRefusingAddress(int port);

    /// <summary>For TCP: an IPv4 address of this machine, another one at each call, that never answers connects to a port.</summary>
    internal abstract IPAddress CreateSilentAddress(int port);

    /// <summary>Two connected sockets that no transport holds yet.</summary>
    internal abstract (SafeHandle First, SafeHandle Second) CreateSocketPair();

    /// <summary>Sends the loop's program a signal that a handler is there for; it has come when this returns, and waits for the loop.</summary>
    internal abstract void SendSignal(PosixSignal signal);

    /// <summary>A bound socket that no server holds yet.</summary>
    /// <param name="address">Where.</param>
    /// <param name="listens">Whether it listens already.</param>
    internal abstract SafeHandle CreateBoundSocket(EndPoint address, bool listens);

    /// <summary>A Unix address without a file, another one at each call.</summary>
    internal abstract UnixDomainSocketEndPoint CreateAbstractAddress();

    /// <summary>Who this program is to its Unix peers.</summary>
    internal abstract PeerCredentials Credentials { get; }

    /// <summary>Puts a regular file where nothing lies.</summary>
    internal abstract void PutFile(string path);

    /// <summary>Puts the socket of a server that has died where nothing lies.</summary>
    internal abstract void PutStaleSocket(string path);

    internal abstract void RemoveFile(string path);

    /// <summary>What tells the file at a path from every other, or null where there is none.</summary>
    internal abstract object? IdentityOf(string path);

    internal static ProtocolRecord? RecordOf(BaseProtocol protocol) => protocol switch
    {
        RecordingProtocol plain => plain.Record,
        RecordingBufferedProtocol buffered => buffered.Record,
        _ => null,
    };

    /// <summary>Every record of this stage, for messages about a check that did not end.</summary>
    internal string DescribeRecords() =>
        string.Join(Environment.NewLine, _records.Select((record, i) => $"protocol {i}: {record}"));

    /// <summary>What a stage verifies besides, once all connections are lost.</summary>
    internal virtual void VerifyEnd(IReadOnlyList<ProtocolRecord> records)
    {
    }

    /// <summary>The shortest wait after which the world may have changed.</summary>
    private protected abstract Task StepAsync();

    /// <summary>Runs a check, closes what it left open, and verifies what holds for every check.</summary>
    private protected async Task PerformAsync(TransportCheck check)
    {
        Loop.Core.Errors.Handler = _reports.Add;
        await check.RunAsync(this);
        foreach (var record in _records) record.Transport?.Close();
        foreach (var record in _records)
        {
            if (record.Transport is not null) await record.Lost;
        }

        await SettleAsync();
        var violations = _records.SelectMany(record => record.Violations).ToArray();
        Check.That(violations.Length == 0, $"the contract was broken: {string.Join("; ", violations)}");
        Check.That(_reports.Count == 0, $"the exception handler was told what no check claimed: {string.Join("; ", _reports)}");
        VerifyEnd(_records);
    }
}
