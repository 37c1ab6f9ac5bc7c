namespace Sluice.Transports;

/// <summary>
/// The start of a stream transport: in a turn of its own, or when its channel is ready, or not at all; and who waits for it. A struct inside its
/// <see cref="StreamTransport"/>.
/// </summary>
/// <remarks>
/// ConnectionMade comes first, then the one who waits is told, then reading begins, in a later turn: a caller has its transport before the first byte arrives.
/// </remarks>
internal struct StreamStart(IStartWaiter? waiter)
{
    private IStartWaiter? _waiter = waiter;

    /// <summary>The connection has been made, and its channel is ready: data may come.</summary>
    public bool IsDone { get; private set; }

    /// <summary>The turn of a transport whose channel is ready from the first.</summary>
    public void Run(StreamTransport transport)
    {
        if (!transport.State.TryOpen()) return;
        transport.Receiving.ExpectTurn();
        transport.CallConnectionMade();
        GoOn(transport);
    }

    /// <summary>The channel is ready: starts a transport that was to wait for it.</summary>
    public void OnReady(StreamTransport transport)
    {
        if (transport.State.Life == Life.Opening) Run(transport);
        else if (transport.State.Life == Life.Open) GoOn(transport);
    }

    /// <summary>The channel did not become ready. A protocol that has been made hears of it, another one does not.</summary>
    public void Fail(StreamTransport transport, Exception reason, bool reset)
    {
        var waiter = Take();
        if (transport.State.Life == Life.Opening) transport.Abandon(reset);
        else transport.CutOff(transport.State.IsClosing || reason is OperationCanceledException ? null : reason, reset);
        waiter?.OnFailed(reason);
    }

    /// <summary>The transport goes, and nobody else will tell who waits.</summary>
    public void Abandon() => Take()?.OnAbandoned();

    private void GoOn(StreamTransport transport)
    {
        IsDone = true;
        transport.Drain?.OnStarted();
        transport.Receiving.ExpectTurn();
        transport.Limits.Begin(transport.Loop);
        Take()?.OnStarted(transport);
        transport.Receiving.QueueTurn();
    }

    private IStartWaiter? Take()
    {
        var waiter = _waiter;
        _waiter = null;
        return waiter;
    }
}
