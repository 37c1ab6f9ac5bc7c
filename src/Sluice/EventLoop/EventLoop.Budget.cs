using Sluice.Primitives;

namespace Sluice;

/// <content>What all loops of a process share.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// The most memory that all loops of the process may hold for bytes that wait to be sent, or to be read by a protocol that has paused. While more is held, a connection with more than 20 KiB
    /// waiting that its peer does not take is aborted with <see cref="WriteBufferLimitException"/>, and a datagram that would wait beyond them is dropped: those who take what they are sent go on. It is
    /// counted in steps of 256 KiB by each loop. May be set from any thread. Default: a quarter of the memory that the runtime may use, and at least 64 MiB.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive.</exception>
    public static long MaxTotalWriteBufferSize
    {
        get => WriteBudget.Process.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            WriteBudget.Process.Limit = value;
        }
    }

    /// <summary>How much all loops hold now, in the steps in which it is counted. From any thread.</summary>
    public static long TotalWriteBufferSize => WriteBudget.Process.Used;
}
