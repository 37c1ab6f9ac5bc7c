using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Sluice;

/// <summary>How a loop is made. Read once, when the loop is made.</summary>
public sealed record EventLoopOptions
{
    /// <summary>The kernel interface. Default: the best for this system.</summary>
    public LoopBackend Backend { get; init; }

    /// <summary>
    /// Debug mode: reports callbacks that run long, waits that block the loop's thread, and transports that were never closed; records where callbacks
    /// were queued. Waits are seen on wait handles, tasks, locks and threads; the runtime tells nothing of <c>SemaphoreSlim.Wait</c>,
    /// <c>Thread.Sleep</c> and blocking I/O, which show as callbacks that run long. Null, the default: as the <c>Sluice.Debug</c> AppContext switch says, else the environment variable <c>SLUICE_DEBUG</c> (1 or true).
    /// </summary>
    public bool? Debug { get; init; }

    /// <summary>In debug mode, how long one step may run before it is reported. Default: 100 ms.</summary>
    public TimeSpan SlowCallbackDuration { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long the loop asks the kernel again and again before it blocks. Lowers the latency of a mostly idle loop and burns a core
    /// meanwhile. Default: zero, which is off. At most one second.
    /// </summary>
    public TimeSpan SpinBeforeBlocking { get; init; }

    /// <summary>At the loop's end, how long connections that are closing may still flush and linger. Default: 3 s.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How many connections may linger at a time, at least 1. One that is closed while its peer still sends reads and drops that for up to 3 s or 256 KiB, because the system would answer it with a
    /// reset that destroys what is on its way to the peer. One more cuts off the one that has lingered longest, and so does an accept that is in want of descriptors; see
    /// <see cref="EventLoop.CutConnectionCount"/>. Null, the default: half of the descriptors that the process may open.
    /// </summary>
    public int? MaxLingeringConnections { get; init; }

    /// <summary>Who knows the addresses of host names. Null, the default: the system's resolver, asked off the loop's thread.</summary>
    public NameResolver? Resolver { get; init; }

    /// <summary>
    /// Where the default exception handler and debug mode write. Of one kind of message it gets the first whole, and at most one a second from there on, which says how many there were: a peer
    /// that provokes messages cannot fill a log. Null, the default: warnings and errors go to standard error.
    /// </summary>
    public ILogger? Logger { get; init; }

    /// <summary>A budget of this loop's own for what waits to be sent, in bytes: for tests. Null: it shares the process's.</summary>
    internal long? OwnWriteBudget { get; init; }

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(EventLoopOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
