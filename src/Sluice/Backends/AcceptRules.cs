using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>What a listener does after a failed accept. No failure ends it: only its owner does.</summary>
internal enum AcceptVerdict
{
    /// <summary>Nothing more is waiting.</summary>
    EndRound,

    /// <summary>That connection was lost before it was taken; the next one may succeed.</summary>
    TryNext,

    /// <summary>Report it and rest: asking again at once would fail again, as often as the processor allows.</summary>
    Rest,
}

/// <summary>The rules of accepting connections, in Linux's error numbers, which the simulated kernel uses too. Stateless.</summary>
internal static class AcceptRules
{
    /// <summary>More than one, because connections come in bursts; bounded, because the loop has others to serve.</summary>
    public const int PerPoll = 16;

    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    public static AcceptVerdict Judge(IoError error)
    {
        if (error == IoError.WouldBlock || error == IoError.Interrupted) return AcceptVerdict.EndRound;
        return IsOfTheConnection(error.Errno) ? AcceptVerdict.TryNext : AcceptVerdict.Rest;
    }

    /// <summary>
    /// Out of descriptors: one waiting connection is dropped with the help of a descriptor kept for this, so that its peer learns at once that
    /// nobody will serve it.
    /// </summary>
    public static bool TurnsOneAway(IoError error) => error == IoError.TooManyFiles || error == IoError.TooManyFilesInSystem;

    // accept(2): Linux passes errors that are already pending on the new connection, and a firewall's refusal, through accept.
    private static bool IsOfTheConnection(int errno) => errno is
        1       // EPERM: a firewall
        or 64   // ENONET
        or 71   // EPROTO
        or 92   // ENOPROTOOPT
        or 95   // EOPNOTSUPP
        or 100  // ENETDOWN
        or 101  // ENETUNREACH
        or 103  // ECONNABORTED
        or 104  // ECONNRESET
        or 110  // ETIMEDOUT
        or 112  // EHOSTDOWN
        or 113; // EHOSTUNREACH
}
