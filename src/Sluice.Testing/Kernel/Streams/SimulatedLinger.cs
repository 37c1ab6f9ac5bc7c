namespace Sluice.Testing.Kernel.Streams;

/// <summary>
/// The end of a graceful close: the sending side is ended, and what the peer still sends is read and dropped for a bounded time and
/// amount, because closing over unread input would reset the connection under data in flight. Owned by its channel.
/// </summary>
internal sealed class SimulatedLinger(SimulatedBackend host, SimulatedSocket kernel)
{
    private const int MostBytes = 256 * 1024;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private int _left = MostBytes;
    private bool _isDue;

    public bool IsReady => _isDue || kernel.CanRead;

    public void Start()
    {
        kernel.ShutdownWrite();
        host.Network.Schedule(host.Clock.Now + Longest, () => _isDue = true);
    }

    /// <summary>Reads on.</summary>
    /// <returns>True once the socket may be let go.</returns>
    public bool Advance()
    {
        while (!_isDue && kernel.CanRead)
        {
            var count = kernel.Read(host.ReadBuffer, out var end, out var error);
            _left -= count;
            if (end || !error.IsNone || _left <= 0) return true;
        }

        return _isDue;
    }
}
