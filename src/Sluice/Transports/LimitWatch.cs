using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// What a stream transport knows of its limits of time: its place among the loop's <see cref="Deadlines"/>, which keep everything else, or none. A struct inside its <see cref="StreamTransport"/>.
/// </summary>
internal struct LimitWatch
{
    private int _place;

    public LimitWatch(StreamTransport transport, StreamOptions options, LoopCore loop)
    {
        var limits = ConnectionLimits.Of(options);
        if (!limits.IsNone) _place = loop.Deadlines.Watch(transport, limits);
    }

    /// <summary>Who has to move next on a connection: see <see cref="Awaited"/>.</summary>
    public static Awaited AwaitedBy(StreamTransport transport) =>
        transport.State.IsReading ? Awaited.Bytes
        : transport.State.IsPaused && transport.Sending.IsDrained && transport.File is null ? Awaited.App
        : Awaited.Room;

    /// <summary>A connection has reached a limit, and ends.</summary>
    public static void Strike(StreamTransport transport, ConnectionLimit limit)
    {
        if (transport.State.Life == Life.Opening) transport.Abandon(reset: true);
        if (transport.State.TryAbort()) transport.Lose(new ConnectionLimitException(limit));
    }

    /// <summary>Since when no byte has moved; null where that is not known, or the connection has ended.</summary>
    public static long? IdleSince(StreamTransport transport) =>
        transport.Limits._place == 0 || transport.State.IsLost ? null : transport.Loop.Deadlines.LastActivity(transport.Limits._place);

    /// <summary>The time runs.</summary>
    public readonly void Begin(LoopCore loop)
    {
        if (_place != 0) loop.Deadlines.Begin(_place);
    }

    /// <summary>The peer has sent bytes.</summary>
    public readonly void NoteRead(LoopCore loop, int count)
    {
        if (_place != 0) loop.Deadlines.NoteRead(_place, count);
    }

    /// <summary>The peer has taken bytes.</summary>
    public readonly void NoteWritten(LoopCore loop)
    {
        if (_place != 0) loop.Deadlines.NoteWritten(_place);
    }

    /// <summary>The app reads again.</summary>
    public readonly void NoteResumed(LoopCore loop)
    {
        if (_place != 0) loop.Deadlines.NoteResumed(_place);
    }

    /// <summary>Gives its place to a transport that carries the connection on. The time stands until that begins.</summary>
    public void HandOver(StreamTransport above)
    {
        if (_place != 0) above.Loop.Deadlines.HandOver(_place, above);
        (above.Limits._place, _place) = (_place, 0);
    }

    /// <summary>The connection has ended.</summary>
    public void End(LoopCore loop)
    {
        if (_place == 0) return;
        loop.Deadlines.Forget(_place);
        _place = 0;
    }
}
