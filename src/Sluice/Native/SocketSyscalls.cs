using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>The part of <see cref="Syscalls"/> that is about sockets.</summary>
internal abstract unsafe class SocketSyscalls : DescriptorSyscalls
{
    private const int StreamFlags =
        SocketConstants.TypeStream | SocketConstants.TypeNonBlocking | SocketConstants.TypeCloseOnExec;

    private const int DatagramFlags =
        SocketConstants.TypeDatagram | SocketConstants.TypeNonBlocking | SocketConstants.TypeCloseOnExec;

    private const int DataFlags = SocketConstants.DontWait | SocketConstants.NoSignal;

    public virtual int StreamSocket(int family, out IoError error) =>
        Result(SocketCalls.Socket(family, StreamFlags, 0), out error);

    public virtual int DatagramSocket(int family, out IoError error) =>
        Result(SocketCalls.Socket(family, DatagramFlags, 0), out error);

    /// <summary>Two connected Unix sockets, left blocking: they become ordinary sockets of .NET, which refuses to wait on others.</summary>
    public virtual IoError SocketPair(int type, int* pair) => Outcome(SocketCalls.SocketPair(
        SocketConstants.FamilyUnix, type | SocketConstants.TypeCloseOnExec, 0, pair));

    public virtual IoError Bind(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address) return Outcome(SocketCalls.Bind(fd, pointer, (uint)address.Length));
    }

    public virtual IoError Connect(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address) return Outcome(SocketCalls.Connect(fd, pointer, (uint)address.Length));
    }

    public virtual IoError Listen(int fd, int backlog) => Outcome(SocketCalls.Listen(fd, backlog));

    /// <param name="fd">The listener.</param>
    /// <param name="address">Takes the peer's address.</param>
    /// <param name="length">How long that address is; at most the room given is filled.</param>
    /// <param name="error">Why there is no connection.</param>
    public virtual int Accept(int fd, Span<byte> address, out int length, out IoError error)
    {
        var size = (uint)address.Length;
        fixed (byte* pointer = address)
        {
            var accepted = SocketCalls.Accept(fd, pointer, &size, SocketConstants.TypeNonBlocking | SocketConstants.TypeCloseOnExec);
            length = (int)Math.Min(size, (uint)address.Length);
            return Result(accepted, out error);
        }
    }

    public virtual int Receive(int fd, byte* buffer, int length, out IoError error) =>
        Result(SocketCalls.Receive(fd, buffer, (nuint)length, DataFlags), out error);

    public virtual int Send(int fd, byte* buffer, int length, out IoError error)
    {
        int sent;
        do sent = Result(SocketCalls.Send(fd, buffer, (nuint)length, DataFlags), out error);
        while (error == IoError.Interrupted);
        return sent;
    }

    public virtual int SendGathered(int fd, IoVector* vectors, int count, out IoError error)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        int sent;
        do sent = Result(SocketCalls.SendMessage(fd, &message, DataFlags), out error);
        while (error == IoError.Interrupted);
        return sent;
    }

    /// <summary>Receives as many messages as there are, at most <paramref name="count"/>, and says of each how long it is.</summary>
    public virtual int ReceiveMessages(int fd, MessageSlot* messages, int count, out IoError error) =>
        Result(SocketCalls.ReceiveMessages(fd, messages, (uint)count, DataFlags, null), out error);

    /// <summary>Sends messages in their order. An error is about the first one: what stops it behind another is told when that is asked for again.</summary>
    public virtual int SendMessages(int fd, MessageSlot* messages, int count, out IoError error)
    {
        int sent;
        do sent = Result(SocketCalls.SendMessages(fd, messages, (uint)count, DataFlags), out error);
        while (error == IoError.Interrupted);
        return sent;
    }

    /// <summary>Takes one entry out of a socket's queue of errors, which reports as an error for as long as it holds any.</summary>
    public virtual IoError DropQueuedError(int fd)
    {
        byte nothing;
        return Outcome((int)SocketCalls.Receive(fd, &nothing, 0, DataFlags | SocketConstants.ErrorQueue));
    }

    /// <summary>
    /// Sends a part of a file from the kernel's own memory. It knows no flags: only the socket's O_NONBLOCK keeps it from waiting for the
    /// peer, and only the runtime, which ignores SIGPIPE, keeps a dead peer from ending the process.
    /// </summary>
    public virtual long SendFile(int fd, SafeFileHandle file, long offset, long count, out IoError error)
    {
        // A 32-bit C library may take the low half of the offset only.
        if (nint.Size == 4 && offset + count > int.MaxValue)
        {
            error = IoError.TooLarge;
            return -1;
        }

        nint sent;
        do
        {
            var from = offset;
            sent = SocketCalls.SendFile(fd, file, &from, (nuint)count);
            error = sent >= 0 ? IoError.None : new IoError(Marshal.GetLastPInvokeError());
        }
        while (error == IoError.Interrupted);

        return sent;
    }

    /// <summary>How many bytes a read would bring now; none where the descriptor does not say.</summary>
    public virtual int BytesWaiting(int fd)
    {
        var count = 0;
        return Outcome(DescriptorCalls.InputOutput(fd, DescriptorCalls.BytesToRead, &count)).IsNone ? count : 0;
    }

    public virtual IoError ShutdownWrite(int fd) => Outcome(SocketCalls.Shutdown(fd, SocketConstants.ShutdownWrite));

    public virtual int GetOption(int fd, int level, int name, out IoError error)
    {
        int value = 0;
        uint length = sizeof(int);
        error = Outcome(SocketCalls.GetOption(fd, level, name, &value, &length));
        return value;
    }

    public virtual IoError SetOption(int fd, int level, int name, int value) =>
        Outcome(SocketCalls.SetOption(fd, level, name, &value, sizeof(int)));

    /// <summary>Sets an option whose value is a structure.</summary>
    public virtual IoError SetOption(int fd, int level, int name, ReadOnlySpan<byte> value)
    {
        fixed (byte* pointer = value) return Outcome(SocketCalls.SetOption(fd, level, name, pointer, (uint)value.Length));
    }

    public virtual IoError SetLinger(int fd, LingerValue value) =>
        Outcome(SocketCalls.SetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionLinger, &value, (uint)sizeof(LingerValue)));

    public virtual LingerValue GetLinger(int fd, out IoError error)
    {
        LingerValue value = default;
        var length = (uint)sizeof(LingerValue);
        error = Outcome(SocketCalls.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionLinger, &value, &length));
        return value;
    }

    /// <summary>Who is at the other end of a Unix socket: as the kernel noted it when the connection was made.</summary>
    public virtual PeerIdentity GetPeerIdentity(int fd, out IoError error)
    {
        PeerIdentity value = default;
        var length = (uint)sizeof(PeerIdentity);
        error = Outcome(SocketCalls.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionPeerCredentials, &value, &length));
        return value;
    }

    public virtual int GetLocalName(int fd, Span<byte> address, out IoError error)
    {
        var size = (uint)address.Length;
        fixed (byte* pointer = address) error = Outcome(SocketCalls.GetLocalName(fd, pointer, &size));
        return (int)Math.Min(size, (uint)address.Length);
    }

    public virtual int GetPeerName(int fd, Span<byte> address, out IoError error)
    {
        var size = (uint)address.Length;
        fixed (byte* pointer = address) error = Outcome(SocketCalls.GetPeerName(fd, pointer, &size));
        return (int)Math.Min(size, (uint)address.Length);
    }
}
