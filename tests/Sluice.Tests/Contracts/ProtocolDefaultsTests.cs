using System.Net;

namespace Sluice.Tests.Contracts;

/// <summary>What protocols do in the callbacks that they do not override: nothing.</summary>
public sealed class ProtocolDefaultsTests
{
    [Fact]
    [Case("PROTO-001")]
    public void The_callbacks_that_all_protocols_share_do_nothing()
    {
        BaseProtocol[] protocols = [new Stream(), new Reader(), new Writer(), new Buffered(), new Datagram(), new Subprocess()];

        foreach (var protocol in protocols)
        {
            protocol.PauseWriting();
            protocol.ResumeWriting();
            protocol.ConnectionLost(null);
            protocol.ConnectionLost(new IOException());
            Assert.Null(protocol.Serves);
        }
    }

    [Fact]
    [Case("PROTO-001")]
    public void ConnectionMade_does_nothing()
    {
        new Stream().ConnectionMade(null!);
        new Reader().ConnectionMade(null!);
        new Writer().ConnectionMade(null!);
        new Buffered().ConnectionMade(null!);
        new Datagram().ConnectionMade(null!);
        new Subprocess().ConnectionMade(null!);
    }

    [Fact]
    [Case("PROTO-002")]
    public void Data_does_nothing_and_the_end_of_the_stream_asks_for_a_close()
    {
        foreach (var protocol in (StreamProtocol[])[new Stream(), new Reader()])
        {
            protocol.DataReceived("data"u8);
            Assert.False(protocol.EofReceived());
            protocol.DrainRequested();
        }

        Assert.False(new Buffered().EofReceived());
        new Buffered().DrainRequested();
    }

    [Fact]
    [Case("PROTO-003")]
    public void A_buffered_protocol_cannot_leave_out_its_buffer()
    {
        Assert.True(typeof(BufferedProtocol).GetMethod(nameof(BufferedProtocol.GetBuffer))!.IsAbstract);
        Assert.True(typeof(BufferedProtocol).GetMethod(nameof(BufferedProtocol.BufferUpdated))!.IsAbstract);
    }

    [Fact]
    [Case("PROTO-004")]
    public void Datagrams_and_their_errors_do_nothing()
    {
        var protocol = new Datagram();

        protocol.DatagramReceived("data"u8, new IPEndPoint(IPAddress.Loopback, 1));
        protocol.ErrorReceived(new IOException());
    }

    [Fact]
    [Case("PROTO-005")]
    public void The_events_of_a_child_process_do_nothing()
    {
        var protocol = new Subprocess();

        protocol.PipeDataReceived(1, "data"u8);
        protocol.PipeConnectionLost(1, null);
        protocol.ProcessExited();
    }

    private sealed class Stream : Protocol;

    private sealed class Reader : ReadProtocol;

    private sealed class Writer : WriteProtocol;

    private sealed class Datagram : DatagramProtocol;

    private sealed class Subprocess : SubprocessProtocol;

    private sealed class Buffered : BufferedProtocol
    {
        public override Memory<byte> GetBuffer(int sizeHint) => default;

        public override void BufferUpdated(int count)
        {
        }
    }
}
