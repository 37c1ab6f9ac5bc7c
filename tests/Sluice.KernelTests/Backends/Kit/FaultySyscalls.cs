using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>The real kernel, except where a test says otherwise.</summary>
internal unsafe class FaultySyscalls : Syscalls
{
    /// <summary>Answers of accept to come before the real ones.</summary>
    public Queue<IoError> AcceptErrors { get; } = new();

    /// <summary>While set, accept answers nothing else.</summary>
    public IoError AcceptError { get; set; }

    /// <summary>Answers of receive to come before the real ones.</summary>
    public Queue<IoError> ReceiveErrors { get; } = new();

    /// <summary>Answers of a send of messages to come before the real ones; none lets one through.</summary>
    public Queue<IoError> SendErrors { get; } = new();

    /// <summary>The most bytes that a send takes.</summary>
    public int MaxSend { get; set; } = int.MaxValue;

    /// <summary>How many descriptors more can be made before the system has none left.</summary>
    public int DescriptorsLeft { get; set; } = int.MaxValue;

    /// <summary>The lowest number that a duplicated descriptor gets.</summary>
    public int LowestDuplicate { get; set; }

    public IoError EpollAddError { get; set; }

    /// <summary>While set, no option can be set.</summary>
    public IoError SetOptionError { get; set; }

    public int Accepts { get; private set; }

    public int Sends { get; private set; }

    public int Receives { get; private set; }

    public int MessagesSent { get; private set; }

    public int MessagesReceived { get; private set; }

    public int EpollControls { get; private set; }

    public int EpollWaits { get; private set; }

    /// <summary>How many events the last wait found.</summary>
    public int LastEvents { get; private set; }

    public int Shutdowns { get; private set; }

    public int Names { get; private set; }

    /// <summary>The calls that connections make, waiting included: all that is counted here, and the closes.</summary>
    public int Calls => Accepts + Sends + Receives + EpollControls + EpollWaits + Shutdowns + Names + Closed.Count;

    /// <summary>The sockets that were made.</summary>
    public List<int> Opened { get; } = [];

    public List<int> Closed { get; } = [];

    /// <summary>Closes that failed: a number that was not ours.</summary>
    public List<IoError> CloseErrors { get; } = [];

    /// <summary>The answer of every bind, where set.</summary>
    public IoError BindError { get; set; }

    /// <summary>The answer of every connect, where set.</summary>
    public IoError ConnectError { get; set; }

    public override int Accept(int fd, Span<byte> address, out int length, out IoError error)
    {
        Accepts++;
        length = 0;
        error = AcceptErrors.TryDequeue(out var queued) ? queued : AcceptError;
        return error.IsNone ? base.Accept(fd, address, out length, out error) : -1;
    }

    public override int Receive(int fd, byte* buffer, int length, out IoError error)
    {
        Receives++;
        return ReceiveErrors.TryDequeue(out error) ? -1 : base.Receive(fd, buffer, length, out error);
    }

    public override int Send(int fd, byte* buffer, int length, out IoError error)
    {
        Sends++;
        return base.Send(fd, buffer, Math.Min(length, MaxSend), out error);
    }

    public override int SendGathered(int fd, IoVector* vectors, int count, out IoError error)
    {
        Sends++;
        return MaxSend == int.MaxValue
            ? base.SendGathered(fd, vectors, count, out error)
            : base.Send(fd, vectors->Base, (int)Math.Min(vectors->Length, (nuint)MaxSend), out error);
    }

    public override int ReceiveMessages(int fd, MessageSlot* messages, int count, out IoError error)
    {
        Receives++;
        var received = base.ReceiveMessages(fd, messages, count, out error);
        MessagesReceived += Math.Max(0, received);
        return received;
    }

    public override int SendMessages(int fd, MessageSlot* messages, int count, out IoError error)
    {
        Sends++;
        var sent = -1;
        if (!SendErrors.TryDequeue(out error) || error.IsNone) sent = base.SendMessages(fd, messages, count, out error);
        MessagesSent += Math.Max(0, sent);
        return sent;
    }

    public override IoError EpollControl(int epoll, EpollOperation operation, int fd, EpollInterest interest, ulong token)
    {
        EpollControls++;
        return operation == EpollOperation.Add && !EpollAddError.IsNone ? EpollAddError : base.EpollControl(epoll, operation, fd, interest, token);
    }

    public override int EpollWait(int epoll, EpollEvents events, int timeout, out IoError error)
    {
        EpollWaits++;
        return LastEvents = base.EpollWait(epoll, events, timeout, out error);
    }

    public override IoError ShutdownWrite(int fd)
    {
        Shutdowns++;
        return base.ShutdownWrite(fd);
    }

    public override int GetLocalName(int fd, Span<byte> address, out IoError error)
    {
        Names++;
        return base.GetLocalName(fd, address, out error);
    }

    public override IoError SetOption(int fd, int level, int name, int value) =>
        SetOptionError.IsNone ? base.SetOption(fd, level, name, value) : SetOptionError;

    public override int StreamSocket(int family, out IoError error)
    {
        if (Exhausted(out error)) return -1;
        var fd = base.StreamSocket(family, out error);
        if (error.IsNone) Opened.Add(fd);
        return fd;
    }

    public override IoError Bind(int fd, ReadOnlySpan<byte> address) => BindError.IsNone ? base.Bind(fd, address) : BindError;

    public override IoError Connect(int fd, ReadOnlySpan<byte> address) => ConnectError.IsNone ? base.Connect(fd, address) : ConnectError;

    public override int EpollCreate(out IoError error) => Exhausted(out error) ? -1 : base.EpollCreate(out error);

    public override int EventDescriptor(out IoError error) => Exhausted(out error) ? -1 : base.EventDescriptor(out error);

    public override int Duplicate(int fd, out IoError error)
    {
        error = IoError.None;
        return LowestDuplicate == 0
            ? base.Duplicate(fd, out error)
            : DescriptorCalls.Control(fd, DescriptorCalls.DuplicateCloseOnExec, LowestDuplicate);
    }

    public override IoError Close(int fd)
    {
        Closed.Add(fd);
        var error = base.Close(fd);
        if (!error.IsNone) CloseErrors.Add(error);
        return error;
    }

    private bool Exhausted(out IoError error)
    {
        error = DescriptorsLeft > 0 ? IoError.None : IoError.TooManyFiles;
        DescriptorsLeft--;
        return !error.IsNone;
    }
}
