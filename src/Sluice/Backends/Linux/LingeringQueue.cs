using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>A closed connection that still reads and drops what its peer sends.</summary>
internal interface ILingering
{
    /// <summary>Its time is over: close now. It has left the queue.</summary>
    void LetGo();
}

/// <summary>
/// The connections of a backend that linger after their close. All wait equally long, so the first one in is the first one due, and
/// no timer is needed. A linked list inside an array: joining and leaving cost nothing, and when it is full the oldest is closed.
/// </summary>
/// <remarks>
/// What one of them holds is a descriptor, some hundred bytes here, and what the kernel still has to send, which the kernel bounds. Nothing is kept of what it receives. So descriptors are
/// what there may be too few of.
/// </remarks>
internal sealed class LingeringQueue(IClock clock)
{
    /// <summary>How many of a peer's bytes are dropped before it is cut off.</summary>
    public const int MaxDiscarded = 256 * 1024;

    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(3);

    private const int None = -1;

    private Node[] _nodes = new Node[16];
    private int _used;
    private int _free = None;
    private int _oldest = None;
    private int _newest = None;

    public int Count { get; private set; }

    /// <summary>How many may be here.</summary>
    public required int Capacity { get; set; }

    /// <summary>How many had to go before their time.</summary>
    public long Cut { get; private set; }

    /// <summary>When the oldest is due; null where nobody lingers.</summary>
    public TimeSpan? FirstDue => _oldest == None ? null : _nodes[_oldest].Due;

    /// <summary>Lets a connection linger.</summary>
    /// <returns>Its place, for <see cref="Discard"/> and <see cref="Remove"/>.</returns>
    public int Add(ILingering connection)
    {
        while (Count >= Capacity) CutOldest();
        var place = TakeFreePlace();
        _nodes[place] = new Node(connection, clock.Now + Duration, MaxDiscarded, _newest, None);
        if (_newest == None) _oldest = place;
        else _nodes[_newest].Next = place;
        _newest = place;
        Count++;
        return place;
    }

    /// <summary>Counts dropped bytes. False where the peer has sent its share.</summary>
    public bool Discard(int place, int count) => (_nodes[place].Left -= count) > 0;

    public void Remove(int place)
    {
        var node = _nodes[place];
        if (node.Previous == None) _oldest = node.Next;
        else _nodes[node.Previous].Next = node.Next;
        if (node.Next == None) _newest = node.Previous;
        else _nodes[node.Next].Previous = node.Previous;
        _nodes[place] = new Node(null, default, 0, None, _free);
        _free = place;
        Count--;
    }

    /// <summary>Lets the one go that has been here longest: others need its place, or its descriptor. False where there is none.</summary>
    public bool CutOldest()
    {
        if (_oldest == None) return false;
        Cut++;
        LetOldestGo();
        return true;
    }

    public void LetDueGo()
    {
        if (_oldest == None) return;
        var now = clock.Now;
        while (_oldest != None && _nodes[_oldest].Due <= now) LetOldestGo();
    }

    private void LetOldestGo()
    {
        var connection = _nodes[_oldest].Connection!;
        Remove(_oldest);
        connection.LetGo();
    }

    private int TakeFreePlace()
    {
        if (_free != None)
        {
            var place = _free;
            _free = _nodes[place].Next;
            return place;
        }

        if (_used == _nodes.Length) Array.Resize(ref _nodes, _used * 2);
        return _used++;
    }

    private struct Node(ILingering? connection, TimeSpan due, int left, int previous, int next)
    {
        public readonly ILingering? Connection = connection;
        public readonly TimeSpan Due = due;
        public int Left = left;
        public int Previous = previous;
        public int Next = next;
    }
}
