using Sluice.Native;

namespace Sluice.Backends.Linux;

/// <summary>
/// What sockets bring along that somebody else made, or whose listener somebody else made: the few options that would break a promise of the loop are put right,
/// on connections of ours alone. Stateless.
/// </summary>
/// <remarks>The whole list, with what is left alone and why: docs/decisions/0019.</remarks>
internal static class ForeignOptions
{
    /// <summary>How many notes are dropped at one event; another one comes for the rest.</summary>
    private const int MostNotes = 64;

    /// <summary>Puts right a connection that was taken over. One that refuses is broken, and says so at its first read.</summary>
    public static void PutRight(Syscalls system, int connection, StreamOptions options)
    {
        // epoll does not report fewer bytes than that: a short request would never be read.
        system.SetOption(connection, SocketConstants.LevelSocket, SocketConstants.OptionReceiveLowWater, 1);
        if (options.NoDelay) system.SetOption(connection, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork, 0);
    }

    /// <summary>What each connection of an existing TCP listener has to be given or relieved of: the listener's own options stay its maker's.</summary>
    public static OptionCorrections Find(Syscalls system, int listener, StreamOptions options)
    {
        var found = OptionCorrections.None;
        if (options.NoDelay && Option(SocketConstants.ProtocolTcp, SocketConstants.OptionTcpNoDelay) == 0) found |= OptionCorrections.NoDelay;
        if (options.KeepAlive && Option(SocketConstants.LevelSocket, SocketConstants.OptionKeepAlive) == 0) found |= OptionCorrections.KeepAlive;
        if (options.NoDelay && Option(SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork) != 0) found |= OptionCorrections.Uncork;
        if (Option(SocketConstants.LevelSocket, SocketConstants.OptionReceiveLowWater) > 1) found |= OptionCorrections.ReceiveLowWater;
        return found;

        int Option(int level, int name)
        {
            var value = system.GetOption(listener, level, name, out var error);
            return error.IsNone ? value : throw error.ToException("serve a socket");
        }
    }

    /// <summary>Corrects a connection. One that refuses is broken, and says so at its first read.</summary>
    public static void Correct(Syscalls system, int connection, OptionCorrections corrections)
    {
        if (Has(OptionCorrections.NoDelay)) system.SetOption(connection, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpNoDelay, 1);
        if (Has(OptionCorrections.KeepAlive)) system.SetOption(connection, SocketConstants.LevelSocket, SocketConstants.OptionKeepAlive, 1);
        if (Has(OptionCorrections.Uncork)) system.SetOption(connection, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork, 0);
        if (Has(OptionCorrections.ReceiveLowWater)) system.SetOption(connection, SocketConstants.LevelSocket, SocketConstants.OptionReceiveLowWater, 1);

        bool Has(OptionCorrections one) => (corrections & one) != 0;
    }

    /// <summary>
    /// Before a close: SO_LINGER with a time would hold the loop in it, with no time it would reset the connection and lose what is on its way.
    /// </summary>
    public static void CloseInOrder(Syscalls system, int connection) => system.SetLinger(connection, default);

    /// <summary>
    /// After an event that was an error and brought none: some options (IP_RECVERR, SO_TIMESTAMPING) have the kernel queue notes about a socket, and for as long as
    /// it holds one epoll reports an error that no read takes away.
    /// </summary>
    public static void DropNotes(Syscalls system, int connection)
    {
        for (var left = MostNotes; left > 0 && system.DropQueuedError(connection).IsNone; left--)
        {
        }
    }
}

/// <summary>What a connection gets of its server that its listener does not hand on, and what it is relieved of that the listener does.</summary>
[Flags]
internal enum OptionCorrections : byte
{
    None = 0,
    NoDelay = 1,
    KeepAlive = 2,
    Uncork = 4,
    ReceiveLowWater = 8,
}

/// <summary>Whose hands a connected socket has been in.</summary>
internal enum SocketPast : byte
{
    /// <summary>Ours from its first moment.</summary>
    Own,

    /// <summary>Accepted by us, with the options of a listener of somebody else's.</summary>
    OfForeignListener,

    /// <summary>Somebody else's: others may still hold the open socket, and set its options.</summary>
    TakenOver,
}
