using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sluice.Tests.Contracts;

/// <summary>Names of Unix sockets as bytes.</summary>
public sealed class RawUnixEndPointTests
{
    [Fact, Case("UNIX-040")]
    public void Names_are_equal_where_their_bytes_are()
    {
        var name = new RawUnixEndPoint([0, 0xff, 0xfe]);

        Assert.Equal(new RawUnixEndPoint([0, 0xff, 0xfe]), name);
        Assert.Equal(new RawUnixEndPoint([0, 0xff, 0xfe]).GetHashCode(), name.GetHashCode());
        Assert.NotEqual(new RawUnixEndPoint([0, 0xff, 0xff]), name);
        Assert.NotEqual<EndPoint>(new UnixDomainSocketEndPoint("/path"), new RawUnixEndPoint("/path"u8));
    }

    [Fact, Case("UNIX-040")]
    public void A_name_prints_as_ASCII_that_tells_it_from_every_other()
    {
        Assert.Equal(@"@a\xff\x00", new RawUnixEndPoint([0, (byte)'a', 0xff, 0]).ToString());
        Assert.Equal(@"/caf\xe9\x5cx", new RawUnixEndPoint([.. "/caf"u8, 0xe9, (byte)'\\', (byte)'x']).ToString());
    }

    [Fact, Case("UNIX-040")]
    public void What_text_can_say_is_said_as_text()
    {
        Assert.Equal(new UnixDomainSocketEndPoint("/run/caf\u00e9"), RawUnixEndPoint.Of(Encoding.UTF8.GetBytes("/run/caf\u00e9")));
        Assert.Equal(new UnixDomainSocketEndPoint("\0name"), RawUnixEndPoint.Of("\0name"u8));
        Assert.IsType<RawUnixEndPoint>(RawUnixEndPoint.Of([0, 0xff]));
        Assert.IsType<RawUnixEndPoint>(RawUnixEndPoint.Of(Encoding.ASCII.GetBytes(new string('p', 108))));
        Assert.IsType<UnixDomainSocketEndPoint>(RawUnixEndPoint.Of(Encoding.ASCII.GetBytes(new string('p', 107))));
        Assert.IsType<UnixDomainSocketEndPoint>(RawUnixEndPoint.Of([0, .. Encoding.ASCII.GetBytes(new string('p', 107))]));
    }

    [Fact, Case("UNIX-040")]
    public void What_is_no_name_is_refused()
    {
        Assert.Throws<ArgumentException>(static () => new RawUnixEndPoint([]));
        Assert.Throws<ArgumentException>(static () => new RawUnixEndPoint(new byte[109]));
        Assert.Throws<ArgumentException>(static () => new RawUnixEndPoint("/nul\0inside"u8));
        Assert.Throws<ArgumentException>(static () => RawUnixEndPoint.Of([]));
    }

    [Fact, Case("UNIX-040")]
    public void The_kernel_s_form_leads_back_to_the_name()
    {
        foreach (var name in (RawUnixEndPoint[])[new([0, 0xff, 0]), new([.. "/caf"u8, 0xe9])])
        {
            Assert.Equal(AddressFamily.Unix, name.Serialize().Family);
            Assert.Equal(name, name.Create(name.Serialize()));
        }

        Assert.Throws<ArgumentException>(static () => new RawUnixEndPoint([0, 1]).Create(new IPEndPoint(IPAddress.Loopback, 1).Serialize()));
    }
}
