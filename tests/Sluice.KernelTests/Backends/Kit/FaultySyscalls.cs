using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>The real kernel, except where a test says otherwise.</summary>
internal sealed unsafe class FaultySyscalls : Syscalls
{
    /// <summary>Answers of accept to come before the real ones.</summary>
    public Queue<IoError> AcceptErrors { get; } = new();

    /// <summary>While set, accept answers nothing else.</summary>
    public IoError AcceptError { get; set; }

    /// <summary>Answers of receive to come before the real ones.</summary>
    public Queue<IoError> ReceiveErrors { get; } = new();

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

    public int EpollControls { get; private set; }

    /// <summary>The sockets that were made.</summary>
    public List<int> Opened { get; } = [];

    public List<int> Closed { get; } = [];

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

    public override IoError EpollControl(int epoll, EpollOperation operation, int fd, EpollInterest interest, ulong token)
    {
        EpollControls++;
        return operation == EpollOperation.Add && !EpollAddError.IsNone ? EpollAddError : base.EpollControl(epoll, operation, fd, interest, token);
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
        return base.Close(fd);
    }

    private bool Exhausted(out IoError error)
    {
        error = DescriptorsLeft > 0 ? IoError.None : IoError.TooManyFiles;
        DescriptorsLeft--;
        return !error.IsNone;
    }
}
