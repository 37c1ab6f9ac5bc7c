using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <content>What a person sees of a run.</content>
public sealed partial class Simulation
{
    /// <summary>
    /// A number made of everything that has happened: connects, packets with their verdicts, deliveries, accepts, reads, writes, closes, resets, crashes, passes of the
    /// loops and jumps of the clock. The same seed gives the same number, in every process.
    /// </summary>
    public ulong TraceHash => Network.Trace.Hash;

    /// <summary>The last events, oldest first, as text; made anew at each call. <see cref="SimulationOptions.TraceLength"/> says how many.</summary>
    public IReadOnlyList<string> Trace => Network.Trace.Render();

    /// <summary>The sockets of all hosts as a table: who listens, which connections there are, in which state, and how many bytes wait.</summary>
    /// <remarks>
    /// Recv-Q: bytes that have arrived and are not read; of a listener, connections that wait to be accepted. Send-Q: bytes that the kernel has taken and that have not
    /// arrived; of a listener, the size of its backlog.
    /// </remarks>
    public string DescribeSockets() => SocketTable.Describe(Network);
}
