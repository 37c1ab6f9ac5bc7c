using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Sluice.Primitives;

/// <summary>
/// How an operation of the kernel failed, or that it did not: the only place that knows errno numbers (Linux) and how they map to
/// .NET's names.
/// </summary>
/// <param name="errno">The Linux error number; 0 is no error.</param>
internal readonly struct IoError(int errno) : IEquatable<IoError>
{
    public static IoError None => default;
    public static IoError NotPermitted => new(1);
    public static IoError NoEntry => new(2);
    public static IoError Interrupted => new(4);
    public static IoError InputOutput => new(5);
    public static IoError BadDescriptor => new(9);
    public static IoError WouldBlock => new(11);
    public static IoError OutOfMemory => new(12);
    public static IoError AccessDenied => new(13);
    public static IoError BadAddress => new(14);
    public static IoError InvalidArgument => new(22);
    public static IoError TooManyFilesInSystem => new(23);
    public static IoError TooManyFiles => new(24);
    public static IoError BrokenPipe => new(32);
    public static IoError TooLarge => new(75);
    public static IoError NotASocket => new(88);
    public static IoError MessageSize => new(90);
    public static IoError NoProtocolOption => new(92);
    public static IoError NotSupported => new(95);
    public static IoError AddressInUse => new(98);
    public static IoError AddressNotAvailable => new(99);
    public static IoError NetworkDown => new(100);
    public static IoError ConnectionAborted => new(103);
    public static IoError ConnectionReset => new(104);
    public static IoError NoBufferSpace => new(105);
    public static IoError NotConnected => new(107);
    public static IoError TimedOut => new(110);
    public static IoError ConnectionRefused => new(111);
    public static IoError HostUnreachable => new(113);
    public static IoError InProgress => new(115);

    public int Errno => errno;

    public bool IsNone => errno == 0;

    /// <summary>The process or the system has no descriptor or memory to spare: a pause may help.</summary>
    public bool IsOutOfResources =>
        this == TooManyFiles || this == TooManyFilesInSystem || this == NoBufferSpace || this == OutOfMemory;

    /// <summary>It says that the connection is of no use any more, whatever was done with it.</summary>
    public bool EndsConnection => this == BrokenPipe || (errno is >= 100 and <= 113 && errno is not (105 or 106 or 109));

    /// <summary>Impossible while every descriptor has one owner: it shows a defect of this library.</summary>
    public bool IsProgrammingError => this == BadDescriptor || this == BadAddress || this == NotASocket;

    public static bool operator ==(IoError left, IoError right) => left.Errno == right.Errno;

    public static bool operator !=(IoError left, IoError right) => left.Errno != right.Errno;

    /// <summary>The exception that users see.</summary>
    /// <remarks>The text is that of the number: several numbers share one of .NET's codes, whose own text may say something else.</remarks>
    /// <param name="what">What was being done, for example "connect to 127.0.0.1:80"; null adds nothing to the system's text.</param>
    public SocketException ToException(string? what = null)
    {
        var text = Marshal.GetPInvokeErrorMessage(errno);
        return new SocketException((int)SocketErrorCode, what is null ? text : $"{what}: {text}");
    }

    public SocketError SocketErrorCode => errno switch
    {
        0 => SocketError.Success,
        1 or 13 => SocketError.AccessDenied,
        4 => SocketError.Interrupted,
        9 => SocketError.OperationAborted,
        11 => SocketError.WouldBlock,
        14 => SocketError.Fault,
        22 => SocketError.InvalidArgument,
        23 or 24 => SocketError.TooManyOpenSockets,
        32 => SocketError.Shutdown,
        88 => SocketError.NotSocket,
        89 => SocketError.DestinationAddressRequired,
        90 => SocketError.MessageSize,
        91 => SocketError.ProtocolType,
        92 => SocketError.ProtocolOption,
        93 => SocketError.ProtocolNotSupported,
        94 => SocketError.SocketNotSupported,
        95 => SocketError.OperationNotSupported,
        96 => SocketError.ProtocolFamilyNotSupported,
        97 => SocketError.AddressFamilyNotSupported,
        98 => SocketError.AddressAlreadyInUse,
        99 or 2 => SocketError.AddressNotAvailable,
        100 => SocketError.NetworkDown,
        101 => SocketError.NetworkUnreachable,
        102 => SocketError.NetworkReset,
        103 => SocketError.ConnectionAborted,
        104 => SocketError.ConnectionReset,
        12 or 105 => SocketError.NoBufferSpaceAvailable,
        106 => SocketError.IsConnected,
        107 => SocketError.NotConnected,
        108 => SocketError.Shutdown,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        112 => SocketError.HostDown,
        113 => SocketError.HostUnreachable,
        114 => SocketError.AlreadyInProgress,
        115 => SocketError.InProgress,
        125 => SocketError.OperationAborted,
        _ => SocketError.SocketError,
    };

    public bool Equals(IoError other) => this == other;

    public override bool Equals(object? obj) => obj is IoError other && this == other;

    public override int GetHashCode() => errno;

    public override string ToString() => errno == 0 ? "none" : $"errno {errno} ({SocketErrorCode})";
}
