// What several samples share: an address as one types it.
using System.Globalization;
using System.Net;
using System.Net.Sockets;

internal static class Address
{
    /// <summary>Reads <c>host:port</c>, <c>[IPv6]:port</c> or <c>unix:/path</c>. A name stays a name: connects and servers look it up.</summary>
    public static bool TryParse(string text, out EndPoint address)
    {
        address = new IPEndPoint(IPAddress.Loopback, 0);
        if (text.StartsWith("unix:/", StringComparison.Ordinal))
        {
            address = new UnixDomainSocketEndPoint(text["unix:".Length..]);
            return true;
        }

        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        address = new DnsEndPoint(text[..colon].Trim('[', ']'), port);
        return true;
    }
}
