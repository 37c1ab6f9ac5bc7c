using System.Net;

namespace Sluice.Testing.Kits;

/// <summary>A datagram endpoint of a check.</summary>
/// <param name="Transport">Its transport.</param>
/// <param name="Protocol">Its protocol.</param>
internal sealed record DatagramEnd(IDatagramTransport Transport, RecordingDatagramProtocol Protocol)
{
    /// <summary>Where it receives.</summary>
    public EndPoint Address => Transport.GetExtraInfo(ExtraInfo.SocketName)!;

    public void Send(ReadOnlySpan<byte> data, DatagramEnd? to = null) => Transport.SendTo(data, to?.Address);
}
