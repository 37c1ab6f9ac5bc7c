using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>Exchanging the protocol of a live transport, and what may not serve one.</summary>
public sealed class SetProtocolTests
{
    [Fact]
    [Case("TCP-065")]
    public void The_new_protocol_gets_what_comes_afterwards()
    {
        using var rig = StreamRig.Started();
        var trace = new List<string>();
        var callbacks = new Callbacks(trace);
        callbacks.Made(rig.Transport);
        var successor = new TracedProtocol(callbacks);

        rig.Step(() => rig.Transport.SetProtocol(successor));
        rig.Receive("data");
        rig.Step(rig.Transport.Close);
        rig.Pass();

        Assert.Equal(["ConnectionMade", "DataReceived(data)", "ConnectionLost(null)"], trace);
        Assert.Equal("StopReading, Close", rig.Take());
    }

    [Fact]
    public void A_write_protocol_cannot_serve_a_duplex_however_it_is_set()
    {
        using var rig = StreamRig.Started();

        rig.Step(() => Assert.Throws<ArgumentException>(() => ((IWriteTransport)rig.Transport).SetProtocol(new Writer())));

        Assert.Same(rig.Protocol, rig.Transport.Protocol);
    }

    [Fact]
    public void A_read_protocol_serves_a_duplex_through_either_face()
    {
        using var rig = StreamRig.Started();
        var (first, second) = (new Reader(), new Reader());

        rig.Step(() => ((IReadTransport)rig.Transport).SetProtocol(first));
        rig.Receive("one");
        rig.Step(() => ((ITransport)rig.Transport).SetProtocol(second));
        rig.Receive("second");

        Assert.Equal((3, 6), (first.Received, second.Received));
    }

    [Fact]
    public void A_protocol_serves_one_transport_at_a_time()
    {
        using var one = StreamRig.Started();
        using var other = StreamRig.Started();

        one.Step(() => Assert.Throws<ArgumentException>(() => one.Transport.SetProtocol(other.Protocol)));
        Assert.Same(one.Protocol, one.Transport.Protocol);

        other.Step(other.Transport.Close);
        other.Pass();
        one.Step(() => one.Transport.SetProtocol(other.Protocol));
        Assert.Same(other.Protocol, one.Transport.Protocol);
    }

    [Fact]
    public void The_same_protocol_can_be_set_again()
    {
        using var rig = StreamRig.Started();

        rig.Step(() => rig.Transport.SetProtocol(rig.Protocol));
        rig.Receive("data");

        Assert.Equal("DataReceived(data)", rig.Take());
    }

    [Fact]
    public void No_protocol_is_an_argument_error()
    {
        using var rig = StreamRig.Started();

        rig.Step(() => Assert.Throws<ArgumentNullException>(() => rig.Transport.SetProtocol((IProtocol<ITransport>)null!)));
    }

    [Fact]
    [Case("TCP-057")]
    public void The_protocol_is_known_until_ConnectionLost_has_returned()
    {
        using var rig = StreamRig.Started();
        BaseProtocol? during = null;
        rig.Callbacks.On("ConnectionLost", transport => during = transport.Protocol);

        rig.Step(rig.Transport.Abort);
        Assert.Same(rig.Protocol, rig.Transport.Protocol);
        rig.Pass();

        Assert.Same(rig.Protocol, during);
        Assert.Null(rig.Transport.Protocol);
    }

    private sealed class Writer : WriteProtocol;

    private sealed class Reader : ReadProtocol
    {
        public int Received { get; private set; }

        public override void DataReceived(ReadOnlySpan<byte> data) => Received += data.Length;
    }
}
