namespace Sluice.Testing;

/// <summary>
/// Where a check runs: a loop, a way to connect two protocols over the transport that is tested, and what was reported meanwhile. Derive from
/// it to run the suite over a transport of your own; make a new one for each run of a check, on the loop's thread.
/// </summary>
/// <remarks>
/// <para>A stage promises: both ends live on <see cref="Loop"/>; while one end does not read, the connection takes no more than 128 KiB beside the
/// writer's own buffer, and what it does not take stays in <see cref="IWriteFlowControl.WriteBufferSize"/>; bytes that it can take leave, and bytes that
/// have arrived are delivered, without anybody's doing.</para>
/// <para>Whatever a callback throws, the transport tells <see cref="EventLoop.CallExceptionHandler"/> of it, with the messages of asyncio: <c>"Fatal error:
/// protocol.DataReceived() call failed."</c> (likewise EofReceived, GetBuffer and BufferUpdated, which reset the connection), <c>"Exception in callback
/// protocol.ConnectionMade()"</c> (likewise ConnectionLost), <c>"protocol.PauseWriting() failed"</c> (likewise ResumeWriting).</para>
/// </remarks>
public abstract class CheckStage
{
    // Task.Delay counts whole milliseconds: less than one would not wait at all.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(1);

    private readonly List<ExceptionContext> _reports = [];
    private readonly List<ProtocolRecord> _records = [];
    private bool _isUsed;

    /// <summary>The loop that carries both ends of every connection. The one who runs the check runs it.</summary>
    public abstract EventLoop Loop { get; }

    /// <summary>What this stage has for checks that need more than a connection. Checks that need anything else do not fit: <see cref="TransportChecks.For"/>.</summary>
    public virtual CheckNeeds Offers => CheckNeeds.None;

    /// <summary>How long a check may take on the loop's clock. The default is 60 s; a stage whose <see cref="SettleAsync"/> waits for long may want more.</summary>
    public virtual TimeSpan Deadline => TimeSpan.FromSeconds(60);

    /// <summary>An abort is seen as a reset by the peer.</summary>
    public bool AbortIsReset => (Offers & CheckNeeds.Reset) != 0;

    /// <summary>What the loop's exception handler was told and no check has claimed yet.</summary>
    public IReadOnlyList<ExceptionContext> Reports => _reports;

    /// <summary>What the loop has warned of, as far as the stage can see it.</summary>
    internal virtual IReadOnlyList<string> Warnings => [];

    /// <summary>Bytes that are handed to an idle connection are certainly taken at once.</summary>
    internal virtual bool TakesAtOnce => false;

    /// <summary>The watermarks that a connection begins with.</summary>
    internal virtual (int Low, int High) DefaultLimits => (16 * 1024, 64 * 1024);

    /// <summary>Connects two protocols: recording ones unless others are given. Both are made and read when it returns; data may have arrived.</summary>
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
        BaseProtocol? clientProtocol = null;
        BaseProtocol? serverProtocol = null;
        var (clientEnd, serverEnd) = await ConnectEndsAsync(
            () => Make(client, ref clientProtocol), () => Make(server, ref serverProtocol), clientOptions, serverOptions);
        if (clientProtocol is null || serverProtocol is null) throw new CheckFailedException("the stage connected without asking for both protocols");

        // Reading begins in a turn behind the caller's; a check starts with both ends reading.
        await PassesAsync(2);
        return new StreamPair(clientEnd, clientProtocol, serverEnd, serverProtocol);
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

    /// <summary>
    /// Lets everything under way happen: what has been sent arrives, what is ready runs. Checks call it before they look at what did <i>not</i> happen. Over
    /// a medium that needs only turns of the loop, a few dozen passes (<see cref="PassesAsync"/>) do; over one that takes time, wait on the loop's clock.
    /// </summary>
    public abstract Task SettleAsync();

    /// <summary>Waits until a fact holds that no callback announces, such as an empty write buffer.</summary>
    /// <param name="condition">The fact.</param>
    public async Task UntilAsync(Func<bool> condition)
    {
        while (!condition()) await StepAsync();
    }

    /// <summary>
    /// Connects two protocols over the transport that is tested. Called by <see cref="ConnectAsync"/>, any number of times in a check, several connections at
    /// a time. When its task is done, each factory has been called once, <c>ConnectionMade</c> has been called on both protocols, and both transports
    /// read from the next turns on, unless they were paused or closed in it. The callbacks come in the <see cref="ExecutionContext"/> of this call.
    /// </summary>
    /// <param name="client">Makes the first protocol.</param>
    /// <param name="server">Makes the second protocol.</param>
    /// <param name="clientOptions">How the first end behaves, or null for the defaults; only checks with needs such as <see cref="CheckNeeds.BufferLimit"/> give them.</param>
    /// <param name="serverOptions">How the second end behaves, or null for the defaults.</param>
    /// <returns>The two transports, in the order of the factories.</returns>
    protected abstract Task<(ITransport Client, ITransport Server)> ConnectEndsAsync(
        Func<IProtocol<ITransport>> client, Func<IProtocol<ITransport>> server, ConnectionOptions? clientOptions, ServerOptions? serverOptions);

    /// <summary>
    /// The shortest wait after which something may have changed: by default 1 ms of the loop's clock, which a simulation jumps over. Called by
    /// <see cref="UntilAsync"/>.
    /// </summary>
    protected virtual Task StepAsync() => Task.Delay(Step, Loop.TimeProvider);

    /// <summary>After the loss, a transport that knows its socket must have let it go.</summary>
    internal virtual void VerifyReleased(ITransport transport)
    {
    }

    internal static ProtocolRecord? RecordOf(BaseProtocol protocol) => protocol switch
    {
        RecordingProtocol plain => plain.Record,
        RecordingBufferedProtocol buffered => buffered.Record,
        RecordingReadProtocol read => read.Record,
        RecordingWriteProtocol write => write.Record,
        _ => null,
    };

    /// <summary>Every record of this stage, for messages about a check that did not end.</summary>
    internal string DescribeRecords() =>
        string.Join(Environment.NewLine, _records.Select((record, i) => $"protocol {i}: {record}").Append(DescribeOthers()));

    /// <summary>Breaches of the contract by transports that are no streams.</summary>
    internal virtual IEnumerable<string> OtherViolations => [];

    internal virtual string DescribeOthers() => "";

    /// <summary>Closes transports that are no streams, and waits until their protocols have been told.</summary>
    internal virtual Task CloseOthersAsync() => Task.CompletedTask;

    /// <summary>What a stage verifies besides, once all connections are lost.</summary>
    internal virtual void VerifyEnd(IReadOnlyList<ProtocolRecord> records)
    {
    }

    /// <summary>Refuses a second run.</summary>
    internal void Begin()
    {
        if (_isUsed) throw new InvalidOperationException("A stage is for one run of one check: make a new one.");
        _isUsed = true;
    }

    /// <summary>Runs a check, closes what it left open, and verifies what holds for every check.</summary>
    internal async Task PerformAsync(Func<CheckStage, Task> check)
    {
        var handler = Loop.ExceptionHandler;
        Loop.ExceptionHandler = (_, report) => _reports.Add(report);
        try
        {
            await check(this);
            foreach (var record in _records) record.AnyTransport?.Close();
            foreach (var record in _records)
            {
                if (record.AnyTransport is not null) await record.Lost;
            }

            await CloseOthersAsync();
            await SettleAsync();
            VerifyRecords();
        }
        finally
        {
            Loop.ExceptionHandler = handler;
        }
    }

    private IProtocol<ITransport> Make(Func<IProtocol<ITransport>>? factory, ref BaseProtocol? made)
    {
        if (made is not null) throw new CheckFailedException("the stage asked twice for one protocol");
        var protocol = factory?.Invoke() ?? new RecordingProtocol();
        made = Watch(protocol.Instance);
        return protocol;
    }

    private void VerifyRecords()
    {
        string[] violations = [.. _records.SelectMany(record => record.Violations), .. OtherViolations];
        Check.That(violations.Length == 0, $"the contract was broken: {string.Join("; ", violations)}");
        Check.That(_reports.Count == 0, $"the exception handler was told what no check claimed: {string.Join("; ", _reports)}");
        VerifyEnd(_records);
    }
}
