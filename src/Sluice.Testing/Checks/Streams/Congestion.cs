using System.Net.Sockets;

namespace Sluice.Testing.Checks.Streams;

/// <summary>Brings a connection to where its kernel takes no more, for checks of what happens then. Shared by the checks.</summary>
internal static class Congestion
{
    private const int Piece = 128 * 1024;
    private const int MoreThanTheKernelTakes = 1024 * 1024;
    private const int MoreThanAnybodyTakes = 64 * 1024 * 1024;
    private const int SmallBuffer = 16 * 1024;

    /// <summary>A protocol that never starts reading: what is sent to it stays in the kernel.</summary>
    public static RecordingProtocol NonReader() => new() { OnMade = static transport => transport.PauseReading() };

    /// <summary>
    /// Writes the beginning of <see cref="Payload"/> in one go, more than the kernel takes. The peer must not read. The limits are left
    /// as they are: writing is paused then, once, unless <paramref name="size"/> is made smaller.
    /// </summary>
    /// <param name="stage">The stage.</param>
    /// <param name="writer">The transport that writes.</param>
    /// <param name="size">How many bytes.</param>
    /// <returns>How many bytes were written.</returns>
    public static async Task<int> OverfillAsync(CheckStage stage, ITransport writer, int size = MoreThanTheKernelTakes)
    {
        // A real kernel would take megabytes, and more of them as it sees fit.
        writer.GetExtraInfo(ExtraInfo.Socket)?.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, SmallBuffer);
        writer.Write(Payload.Of(size));
        await stage.SettleAsync();
        return size;
    }

    /// <summary>
    /// Writes the pattern of <see cref="Payload"/> from its start until the kernel takes no more and a good part waits. The peer must have
    /// paused reading. What waits is stable within a step, and the limits are too high to be met.
    /// </summary>
    /// <param name="stage">The stage.</param>
    /// <param name="writer">The transport that writes.</param>
    /// <returns>How many bytes were written.</returns>
    public static async Task<int> FillAsync(CheckStage stage, ITransport writer)
    {
        writer.SetWriteBufferLimits(high: int.MaxValue);
        var written = 0;
        while (writer.WriteBufferSize < Piece / 2)
        {
            VerifyEnds(written);
            writer.Write(Payload.At(written, Piece));
            written += Piece;
            await stage.SettleAsync();
        }

        return written;
    }

    /// <summary>Fails where a loop of writes should have met its end by now: no kernel and no transport holds so much for a peer that does not read.</summary>
    public static void VerifyEnds(int written) =>
        Check.That(written < MoreThanAnybodyTakes, $"{written} bytes were taken from the writer, and the peer reads none of them");

    /// <summary>A connection whose client has filled the kernel and whose server has paused reading.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="client">The protocol that writes, or null for a plain recording one.</param>
    /// <returns>The connection, and how many bytes were written.</returns>
    public static async Task<(StreamPair Pair, int Written)> ConnectAsync(CheckStage stage, Func<IProtocol<ITransport>>? client = null)
    {
        var pair = await stage.ConnectAsync(client);
        pair.Server.PauseReading();
        return (pair, await FillAsync(stage, pair.Client));
    }
}
