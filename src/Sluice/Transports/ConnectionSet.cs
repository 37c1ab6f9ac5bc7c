namespace Sluice.Transports;

/// <summary>
/// The live transports of one owner, a server or the loop's own connections: a doubly linked list through the transports, so that
/// membership costs no allocation. Used on the loop's thread.
/// </summary>
internal sealed class ConnectionSet(Action? emptied = null)
{
    private StreamTransport? _first;

    public int Count { get; private set; }

    /// <summary>The newest member; the next is behind its <see cref="StreamTransport.Membership"/>.</summary>
    public StreamTransport? First => _first;

    public void Add(StreamTransport transport)
    {
        ref var link = ref transport.Membership;
        link.Set = this;
        link.Next = _first;
        if (_first is not null) _first.Membership.Previous = transport;
        _first = transport;
        Count++;
    }

    /// <summary>Takes a transport out of its set, if it is in one; the owner hears when that was the last.</summary>
    public static void Remove(StreamTransport transport)
    {
        ref var link = ref transport.Membership;
        if (link.Set is not { } set) return;
        if (link.Previous is { } previous) previous.Membership.Next = link.Next;
        else set._first = link.Next;
        if (link.Next is { } next) next.Membership.Previous = link.Previous;
        link = default;
        if (--set.Count == 0) set.OnEmptied();
    }

    /// <summary>The members as they are now: what is done to them may change the set.</summary>
    public StreamTransport[] Snapshot()
    {
        var members = new StreamTransport[Count];
        var index = 0;
        for (var member = _first; member is not null; member = member.Membership.Next) members[index++] = member;
        return members;
    }

    private void OnEmptied() => emptied?.Invoke();

    /// <summary>A transport's place in its set.</summary>
    internal struct Link
    {
        public ConnectionSet? Set;
        public StreamTransport? Previous;
        public StreamTransport? Next;
    }
}
