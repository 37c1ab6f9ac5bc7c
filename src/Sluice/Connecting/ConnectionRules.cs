using System.Net;
using System.Net.Sockets;
using Sluice.Names;

namespace Sluice.Connecting;

/// <summary>What connects and servers refuse at the call, before anything is opened. Stateless.</summary>
internal static class ConnectionRules
{
    /// <exception cref="ArgumentException">No address of a stream socket: another kind, a name that cannot be one, a path that would be cut.</exception>
    public static void CheckAddress(EndPoint address, string parameter)
    {
        switch (address)
        {
            case IPEndPoint:
                return;
            case DnsEndPoint name:
                HostName.ToAscii(name.Host, parameter);
                return;
            case UnixDomainSocketEndPoint path:
                UnixAddress.Check(path, parameter);
                return;
            case RawUnixEndPoint:
                return;
            default:
                throw new ArgumentException(
                    $"{address.GetType()} is neither an IPEndPoint, a DnsEndPoint, a UnixDomainSocketEndPoint nor a RawUnixEndPoint.", parameter);
        }
    }

    /// <exception cref="ArgumentOutOfRangeException">A limit that cannot be.</exception>
    public static void CheckLimits(StreamOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxWriteBufferSize, nameof(options));
        ArgumentOutOfRangeException.ThrowIfNegative(options.MinReadRate, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.MinReadRateGracePeriod, TimeSpan.Zero, nameof(options));
        if (options.ClosingTimeout <= TimeSpan.Zero && options.ClosingTimeout != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.ClosingTimeout, "A time is positive or Timeout.InfiniteTimeSpan.");
        }

        CheckTime(options.IdleTimeout);
        CheckTime(options.ReadTimeout);
        if (options is ConnectionOptions connection) CheckTime(connection.ConnectTimeout);

        static void CheckTime(TimeSpan? time)
        {
            if (time is { } limit) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(options));
        }
    }

    /// <exception cref="ArgumentException">An option that cannot be.</exception>
    public static void CheckOptions(ConnectionOptions options)
    {
        if (options.HappyEyeballsDelay is { } delay) ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero, nameof(options));
        if (options.Interleave is { } lead) ArgumentOutOfRangeException.ThrowIfNegative(lead, nameof(options));
        if (options.LocalEndPoint is null) return;
        if (options.LocalEndPoint is not (IPEndPoint or DnsEndPoint))
        {
            throw new ArgumentException($"{nameof(options.LocalEndPoint)} is neither an IPEndPoint nor a DnsEndPoint.", nameof(options));
        }

        CheckAddress(options.LocalEndPoint, nameof(options));
    }

    /// <summary>For what is connected already, or has one address only.</summary>
    /// <exception cref="ArgumentException">An option that is about choosing among addresses.</exception>
    public static void CheckHasOneAddress(ConnectionOptions options, string what)
    {
        if (options is { LocalEndPoint: null, HappyEyeballsDelay: null, Interleave: null, AddressFamily: AddressFamily.Unspecified }) return;
        throw new ArgumentException(
            $"{what} has one address: {nameof(options.LocalEndPoint)}, {nameof(options.HappyEyeballsDelay)}, {nameof(options.Interleave)} and "
            + $"{nameof(options.AddressFamily)} have no meaning for it.", nameof(options));
    }

    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    /// <exception cref="ArgumentException">It is not a connected stream socket.</exception>
    public static void CheckConnectedStream(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ObjectDisposedException.ThrowIf(socket.SafeHandle.IsClosed, socket);
        if (socket.SocketType != SocketType.Stream) throw new ArgumentException("A stream socket is needed.", nameof(socket));
        if (!socket.Connected) throw new ArgumentException("The socket is not connected.", nameof(socket));
    }
}
