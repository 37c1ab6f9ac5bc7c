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
    /// <summary>Nothing comes the other way, so to end the stream is to close.</summary>
    public override void WriteEof() => Close();

    internal override void CallConnectionMade() => Binding.ConnectionMade<IWriteTransport>(this);

    /// <summary>The reader has gone: an orderly end, unless it has left something unread that is still here.</summary>
    internal override void EndReading(IoError reason)
    {
        if (reason.IsNone && Sending.IsDrained) Lose(null);
        else LoseBroken(reason.IsNone ? IoError.BrokenPipe : reason);
    }

    private protected override object? FindExtraInfo(string name) => name == "pipe" ? pipe : null;

    private protected override string DescribeEnds() => $"fd={Channel.Handle}";
}
