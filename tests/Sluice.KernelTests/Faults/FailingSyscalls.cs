using Microsoft.Win32.SafeHandles;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.KernelTests.Faults;

/// <summary>
/// The real kernel, except that one call of one kind fails once. It counts the calls of each kind and knows which descriptors are open, so that
/// a leak shows whatever else the process has open. Any thread.
/// </summary>
internal sealed unsafe class FailingSyscalls : Syscalls
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _calls = [];
    private readonly HashSet<int> _open = [];
    private readonly string? _call;
    private readonly int _number;
    private readonly IoError _failure;

    /// <summary>Fails nothing.</summary>
    public FailingSyscalls()
    {
    }

    /// <param name="call">The kind of call, by its name in the manual.</param>
    /// <param name="number">Which of them fails, from 1.</param>
    /// <param name="failure">How.</param>
    public FailingSyscalls(string call, int number, IoError failure)
    {
        _call = call;
        _number = number;
        _failure = failure;
    }

    public int CallsOf(string call)
    {
        lock (_gate) return _calls.GetValueOrDefault(call);
    }

    public int[] OpenDescriptors()
    {
        lock (_gate) return [.. _open];
    }

    public override int StreamSocket(int family, out IoError error) => Fails("socket", out error) ? -1 : Opened(base.StreamSocket(family, out error));

    public override int DatagramSocket(int family, out IoError error) => Fails("socket", out error) ? -1 : Opened(base.DatagramSocket(family, out error));

    public override IoError Bind(int fd, ReadOnlySpan<byte> address) => Fails("bind", out var error) ? error : base.Bind(fd, address);

    public override IoError Connect(int fd, ReadOnlySpan<byte> address)
    {
        if (!Fails("connect", out var error)) return base.Connect(fd, address);
        // An interrupted connect goes on by itself.
        if (error == IoError.Interrupted) base.Connect(fd, address);
        return error;
    }

    public override IoError Listen(int fd, int backlog) => Fails("listen", out var error) ? error : base.Listen(fd, backlog);

    public override int Accept(int fd, Span<byte> address, out int length, out IoError error)
    {
        length = 0;
        return Fails("accept4", out error) ? -1 : Opened(base.Accept(fd, address, out length, out error));
    }

    public override int Receive(int fd, byte* buffer, int length, out IoError error) =>
        Fails("recv", out error) ? -1 : base.Receive(fd, buffer, length, out error);

    public override int Send(int fd, byte* buffer, int length, out IoError error) =>
        Fails("send", out error) ? -1 : base.Send(fd, buffer, length, out error);

    public override int SendGathered(int fd, IoVector* vectors, int count, out IoError error) =>
        Fails("send", out error) ? -1 : base.SendGathered(fd, vectors, count, out error);

    public override int ReceiveMessages(int fd, MessageSlot* messages, int count, out IoError error) =>
        Fails("recvmmsg", out error) ? -1 : base.ReceiveMessages(fd, messages, count, out error);

    public override int SendMessages(int fd, MessageSlot* messages, int count, out IoError error) =>
        Fails("sendmmsg", out error) ? -1 : base.SendMessages(fd, messages, count, out error);

    public override long SendFile(int fd, SafeFileHandle file, long offset, long count, out IoError error) =>
        Fails("sendfile", out error) ? -1 : base.SendFile(fd, file, offset, count, out error);

    public override int Read(int fd, byte* buffer, int length, out IoError error) =>
        Fails("read", out error) ? -1 : base.Read(fd, buffer, length, out error);

    public override int Write(int fd, byte* buffer, int length, out IoError error) =>
        Fails("write", out error) ? -1 : base.Write(fd, buffer, length, out error);

    public override int WriteGathered(int fd, IoVector* vectors, int count, out IoError error) =>
        Fails("write", out error) ? -1 : base.WriteGathered(fd, vectors, count, out error);

    public override IoError ShutdownWrite(int fd) => Fails("shutdown", out var error) ? error : base.ShutdownWrite(fd);

    public override int GetOption(int fd, int level, int name, out IoError error)
    {
        // A connect that fails later tells so in the value of SO_ERROR; the call itself succeeds.
        if (name == SocketConstants.OptionError && level == SocketConstants.LevelSocket && Fails("SO_ERROR", out var pending))
        {
            error = IoError.None;
            return pending.Errno;
        }

        return Fails("getsockopt", out error) ? 0 : base.GetOption(fd, level, name, out error);
    }

    public override IoError SetOption(int fd, int level, int name, int value) =>
        Fails("setsockopt", out var error) ? error : base.SetOption(fd, level, name, value);

    public override IoError SetOption(int fd, int level, int name, ReadOnlySpan<byte> value) =>
        Fails("setsockopt", out var error) ? error : base.SetOption(fd, level, name, value);

    public override IoError SetLinger(int fd, LingerValue value) => Fails("setsockopt", out var error) ? error : base.SetLinger(fd, value);

    public override LingerValue GetLinger(int fd, out IoError error) => Fails("getsockopt", out error) ? default : base.GetLinger(fd, out error);

    public override int GetLocalName(int fd, Span<byte> address, out IoError error) =>
        Fails("getsockname", out error) ? 0 : base.GetLocalName(fd, address, out error);

    public override int GetPeerName(int fd, Span<byte> address, out IoError error) =>
        Fails("getpeername", out error) ? 0 : base.GetPeerName(fd, address, out error);

    public override int EpollCreate(out IoError error) => Fails("epoll_create1", out error) ? -1 : Opened(base.EpollCreate(out error));

    public override IoError EpollControl(int epoll, EpollOperation operation, int fd, EpollInterest interest, ulong token)
    {
        // Only joining the set can fail for want of memory; the rest cannot, unless a descriptor is not ours.
        return operation == EpollOperation.Add && Fails("epoll_ctl", out var error) ? error : base.EpollControl(epoll, operation, fd, interest, token);
    }

    /// <summary>Never waits long: the clock of these tests is a fast one.</summary>
    public override int EpollWait(int epoll, EpollEvents events, int timeout, out IoError error) =>
        Fails("epoll_wait", out error) ? -1 : base.EpollWait(epoll, events, timeout < 0 ? 1 : Math.Min(timeout, 1), out error);

    public override int EventDescriptor(out IoError error) => Fails("eventfd", out error) ? -1 : Opened(base.EventDescriptor(out error));

    public override int Duplicate(int fd, out IoError error) => Fails("dup", out error) ? -1 : Opened(base.Duplicate(fd, out error));

    public override IoError SetNonBlocking(int fd) => Fails("fcntl", out var error) ? error : base.SetNonBlocking(fd);

    public override IoError SetBlocking(int fd) => Fails("fcntl", out var error) ? error : base.SetBlocking(fd);

    public override bool IsNonBlocking(int fd, out IoError error) => !Fails("fcntl", out error) && base.IsNonBlocking(fd, out error);

    public override (bool Reading, bool Writing) Access(int fd, out IoError error) => Fails("fcntl", out error) ? default : base.Access(fd, out error);

    public override FileStatus Status(int fd, out IoError error) => Fails("statx", out error) ? default : base.Status(fd, out error);

    public override IoError SetMode(int fd, UnixFileMode mode) => Fails("fchmod", out var error) ? error : base.SetMode(fd, mode);

    public override FileStatus Status(UnixPath path, out IoError error, bool followsLink = false) =>
        Fails("statx", out error) ? default : base.Status(path, out error, followsLink);

    public override IoError SetMode(UnixPath path, FileIdentity identity, UnixFileMode mode) =>
        Fails("chmod", out var error) ? error : base.SetMode(path, identity, mode);

    public override PeerIdentity GetPeerIdentity(int fd, out IoError error) => Fails("getsockopt", out error) ? default : base.GetPeerIdentity(fd, out error);

    public override IoError Replace(int source, int target) => Fails("dup3", out var error) ? error : base.Replace(source, target);

    public override IoError Unlink(UnixPath path) => Fails("unlink", out var error) ? error : base.Unlink(path);

    public override IoError Pipe(out int reading, out int writing)
    {
        (reading, writing) = (-1, -1);
        if (Fails("pipe2", out var error)) return error;
        error = base.Pipe(out reading, out writing);
        if (error.IsNone) _ = (Opened(reading), Opened(writing));
        return error;
    }

    public override int NullDevice(out IoError error) => Fails("open", out error) ? -1 : Opened(base.NullDevice(out error));

    public override int DuplicateFrom(int fd, int first, out IoError error) => Fails("dup", out error) ? -1 : Opened(base.DuplicateFrom(fd, first, out error));

    public override int Spawn(SpawnPlan plan, out IoError error) => Fails("posix_spawn", out error) ? 0 : base.Spawn(plan, out error);

    public override int ProcessDescriptor(int pid, out IoError error) =>
        Fails("pidfd_open", out error) ? -1 : Opened(base.ProcessDescriptor(pid, out error));

    public override IoError SendSignal(int pidfd, int signal) => Fails("pidfd_send_signal", out var error) ? error : base.SendSignal(pidfd, signal);

    public override int? TryWait(int pidfd, bool reap, out IoError error)
    {
        if (!Fails("waitid", out error)) return base.TryWait(pidfd, reap, out error);
        // It fails because somebody else has taken the status.
        base.AwaitEnd(pidfd, 10_000);
        base.TryWait(pidfd, reap: true, out _);
        return null;
    }

    public override IoError MayExecute(string path) => Fails("access", out var error) ? error : base.MayExecute(path);

    public override IoError Close(int fd)
    {
        lock (_gate)
        {
            if (!_open.Remove(fd)) return IoError.BadDescriptor;
            return base.Close(fd);
        }
    }

    private bool Fails(string call, out IoError error)
    {
        lock (_gate)
        {
            var number = _calls[call] = _calls.GetValueOrDefault(call) + 1;
            var fails = call == _call && number == _number;
            error = fails ? _failure : IoError.None;
            return fails;
        }
    }

    // Under the lock of a close, so that a number that is given out again is not taken for the one just closed.
    private int Opened(int fd)
    {
        if (fd < 0) return fd;
        lock (_gate) _open.Add(fd);
        return fd;
    }
}
