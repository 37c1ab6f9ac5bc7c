using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sluice.Backends.Linux.Addresses;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Datagrams;

/// <summary>Hands queued datagrams to a socket, many in one system call and without copying them. One per loop: it owns the arrays that describe the messages.</summary>
/// <remarks>
/// Where the kernel can cut a message into datagrams (UDP_SEGMENT), a run of them to one receiver, all of one size but the last, goes as one message: 0.4 us for each on loopback instead of 2.2.
/// The kernel takes such a message whole or not at all. It may also refuse what it would take one by one, because a size does not fit the network or a device cannot do it: the sizes are noted,
/// and the run goes one by one.
/// </remarks>
internal sealed unsafe class DatagramSender
{
    public const int MostAtOnce = 64;

    /// <summary>The largest datagrams to be sent in runs, where the kernel can.</summary>
    public const int LargestSegment = 32 * 1024;

    // UDP_MAX_SEGMENTS of the first kernels, and what fits into one datagram of IPv4.
    private const int MostInRun = 64;
    private const int MostBytesInRun = 65_507;
    private const int ControlSize = 24;

    private readonly Syscalls _system;
    private readonly MessageSlot[] _messageMemory = GC.AllocateArray<MessageSlot>(MostAtOnce, pinned: true);
    private readonly IoVector[] _vectorMemory = GC.AllocateArray<IoVector>(MostInRun * 4, pinned: true);
    private readonly byte[] _nameMemory = GC.AllocateArray<byte>(MostAtOnce * SocketConstants.MaxAddressLength, pinned: true);
    private readonly byte[] _controlMemory = GC.AllocateArray<byte>(MostAtOnce * ControlSize, pinned: true);
    private readonly int[] _runs = new int[MostAtOnce];
    private readonly MessageSlot* _messages;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private readonly byte* _controls;
    private EndPoint? _lastUnix;
    private byte[] _lastUnixBytes = [];

    public DatagramSender(Syscalls system)
    {
        _system = system;
        _messages = (MessageSlot*)AddressOf(_messageMemory);
        _vectors = (IoVector*)AddressOf(_vectorMemory);
        _names = (byte*)AddressOf(_nameMemory);
        _controls = (byte*)AddressOf(_controlMemory);
    }

    /// <summary>Sends the queue in its order, until all are taken, one is refused, or the kernel takes no more.</summary>
    /// <param name="fd">The socket.</param>
    /// <param name="queue">The datagrams.</param>
    /// <param name="largestSegment">The largest datagrams that go in runs on this socket; 0 where none do. Falls where the kernel refuses a run.</param>
    /// <param name="error">Why the next one was refused. Would-block is no error.</param>
    /// <returns>How many were taken, also where an error came behind them.</returns>
    public int Send(int fd, in DatagramQueue queue, ref int largestSegment, out IoError error)
    {
        error = IoError.None;
        var sent = 0;
        while (sent < queue.Count)
        {
            var count = Describe(queue, sent, largestSegment);
            // Where it takes fewer than it was offered, the next call tells why.
            var taken = _system.SendMessages(fd, _messages, count, out error);
            if (!error.IsNone)
            {
                if (_runs[0] == 1 || !TryDoWithoutRun(error, queue.PayloadAt(sent).Length, ref largestSegment)) break;
                error = IoError.None;
                continue;
            }

            for (var i = 0; i < taken; i++) sent += _runs[i];
        }

        if (error == IoError.WouldBlock) error = IoError.None;
        Defect.CrashOn(error, "sendmmsg");
        return sent;
    }

    // Other errors are about the datagram, run or not.
    private static bool TryDoWithoutRun(IoError error, int size, ref int largestSegment)
    {
        if (error == IoError.InputOutput || error == IoError.NoProtocolOption || error == IoError.NotSupported) largestSegment = 0;
        else if (error == IoError.InvalidArgument || error == IoError.MessageSize) largestSegment = size - 1;
        else return false;
        return true;
    }

    /// <summary>Describes what is queued from a place on, as far as the arrays reach.</summary>
    /// <returns>How many messages.</returns>
    private int Describe(in DatagramQueue queue, int first, int largestSegment)
    {
        var (messages, vectors) = (0, 0);
        while (first < queue.Count && messages < MostAtOnce && vectors < _vectorMemory.Length)
        {
            var run = largestSegment == 0 ? 1 : RunAt(queue, first, Math.Min(MostInRun, _vectorMemory.Length - vectors), largestSegment);
            var vector = _vectors + vectors;
            for (var i = 0; i < run; i++) vector[i] = Describe(queue.PayloadAt(first + i));
            ref var header = ref _messages[messages].Header;
            header.Vectors = vector;
            header.VectorCount = (nuint)run;
            Address(ref header, messages, queue.AddressAt(first));
            header.Control = null;
            header.ControlLength = 0;
            if (run > 1) Segment(ref header, messages, queue.PayloadAt(first).Length);
            _runs[messages++] = run;
            vectors += run;
            first += run;
        }

        return messages;
    }

    // An empty datagram cannot be cut out of anything.
    private static int RunAt(in DatagramQueue queue, int first, int most, int largestSegment)
    {
        var size = queue.PayloadAt(first).Length;
        var bytes = size;
        if (size == 0 || size > largestSegment) return 1;
        var run = 1;
        for (var last = size; last == size && run < most && first + run < queue.Count; run++)
        {
            last = queue.PayloadAt(first + run).Length;
            bytes += last;
            if (last == 0 || last > size || bytes > MostBytesInRun || queue.AddressAt(first + run) != queue.AddressAt(first)) break;
        }

        return run;
    }

    // Segments are pinned, so their addresses hold without a handle.
    private static IoVector Describe(ReadOnlySpan<byte> payload) =>
        new() { Base = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(payload)), Length = (nuint)payload.Length };

    private void Address(ref MessageHeader header, int index, in DatagramAddress address)
    {
        header.Name = null;
        header.NameLength = 0;
        if (address.IsNone) return;
        var name = _names + index * SocketConstants.MaxAddressLength;
        header.Name = name;
        header.NameLength = (uint)WriteName(address, new Span<byte>(name, SocketConstants.MaxAddressLength));
    }

    private void Segment(ref MessageHeader header, int index, int size)
    {
        var control = (ControlHeader*)(_controls + index * ControlSize);
        *control = new ControlHeader
        {
            Length = (nuint)(sizeof(ControlHeader) + sizeof(ushort)),
            Level = SocketConstants.ProtocolUdp,
            Type = SocketConstants.OptionUdpSegment,
        };
        *(ushort*)(control + 1) = (ushort)size;
        header.Control = control;
        header.ControlLength = ControlSize;
    }

    // Serializing a Unix address allocates, and who sends to one mostly goes on to send there.
    private int WriteName(in DatagramAddress address, Span<byte> target)
    {
        if (address.Unix is not { } unix) return EndPointBytes.Write(address, target);
        if (!ReferenceEquals(unix, _lastUnix))
        {
            _lastUnixBytes = EndPointBytes.Of(unix).ToArray();
            _lastUnix = unix;
        }

        _lastUnixBytes.CopyTo(target);
        return _lastUnixBytes.Length;
    }

    private static void* AddressOf<T>(T[] memory) => Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(memory));
}
