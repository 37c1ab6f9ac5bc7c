using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>The stream machine over the writing end of a pipe: it sends, and reads only that its reader has gone.</summary>
/// <param name="loop">The loop.</param>
/// <param name="channel">Its end of the pipe, which it owns.</param>
/// <param name="protocol">Whom it serves.</param>
/// <param name="origin">Where it comes from.</param>
/// <param name="pipe">What the user gave, for the extra info; null where there is no such thing.</param>
internal sealed class WritePipeTransport(
    LoopCore loop, StreamChannel channel, IProtocol<IWriteTransport> protocol, in TransportOrigin origin, object? pipe)
    : StreamTransport(loop, channel, protocol.Instance, origin), IWriteTransport
{
    public bool CanWriteEof => true;

    /// <summary>Nothing comes the other way, so to end the stream is to close.</summary>
    public new void WriteEof() => Close();

    public void SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    private protected override void CallConnectionMade(in ProtocolBinding binding) => binding.ConnectionMade<IWriteTransport>(this);

    /// <summary>The reader has gone: an orderly end, unless it has left something unread that is still here.</summary>
    private protected override void EndReading(IoError reason)
    {
        if (reason.IsNone && IsDrained) Lose(null);
        else LoseBroken(reason.IsNone ? IoError.BrokenPipe : reason);
    }

    protected override object? FindExtraInfo(string name) => name == "pipe" ? pipe : null;

    protected override string DescribeEnds() => $"fd={Channel.Handle}";
}
