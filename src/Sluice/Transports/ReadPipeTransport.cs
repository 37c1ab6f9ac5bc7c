using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>The stream machine over the reading end of a pipe: what arrives, and nothing to write.</summary>
/// <param name="loop">The loop.</param>
/// <param name="channel">Its end of the pipe, which it owns.</param>
/// <param name="protocol">Whom it serves.</param>
/// <param name="origin">Where it comes from.</param>
/// <param name="pipe">What the user gave, for the extra info; null where there is no such thing.</param>
internal sealed class ReadPipeTransport(
    LoopCore loop, StreamChannel channel, IProtocol<IReadTransport> protocol, in TransportOrigin origin, object? pipe)
    : StreamTransport(loop, channel, protocol.Instance, origin), IReadTransport
{
    internal override void CallConnectionMade() => Binding.ConnectionMade<IReadTransport>(this);

    /// <summary>Nothing can be written, so the end of the stream is the end of the transport, whatever EofReceived answers.</summary>
    internal override void EndReading(IoError reason)
    {
        if (reason == IoError.InputOutput)
        {
            // How a terminal says that its other end has gone.
            LoseBroken(reason);
        }
        else if (!reason.IsNone)
        {
            LoseReported("Fatal read error on pipe transport", reason.ToException());
        }
        else if (State.TryEndReading())
        {
            State.TryClose();
            Receiving.TellEnd(out _);
            Lose(null);
        }
    }

    private protected override object? FindExtraInfo(string name) => name == "pipe" ? pipe : null;

    private protected override string DescribeEnds() => $"fd={Channel.Handle}";
}
