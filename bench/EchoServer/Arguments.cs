using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Sluice.EchoServer;

/// <summary>The command line.</summary>
internal sealed class Arguments
{
    private const string TlsScheme = "tls://";

    private Arguments(string listen, EndPoint endPoint)
    {
        Listen = listen;
        IsTls = listen.StartsWith(TlsScheme, StringComparison.Ordinal);
        EndPoint = endPoint;
    }

    public string Listen { get; }

    public EndPoint EndPoint { get; }

    /// <summary>Datagrams are to be echoed, not streams.</summary>
    public bool IsDatagram => Listen.StartsWith("udp://", StringComparison.Ordinal) || Listen.StartsWith("unixgram:", StringComparison.Ordinal);

    public bool IsTls { get; }

    /// <summary>A PKCS#12 file without a password, or null for a certificate made in memory.</summary>
    public string? Certificate { get; private init; }

    public LoopBackend Backend { get; private init; }

    public bool Buffered { get; private init; }

    public TimeSpan Spin { get; private init; }

    /// <summary>The file that is sent instead of an echo, or null.</summary>
    public string? SendFile { get; private init; }

    /// <exception cref="FormatException">Something is missing, unknown or not supported; the message says what.</exception>
    public static Arguments Parse(string[] words)
    {
        var values = new Dictionary<string, string>();
        for (var i = 0; i < words.Length; i += 2)
        {
            if (words[i] is not ("--listen" or "--backend" or "--protocol" or "--loops" or "--spin" or "--sendfile" or "--certificate")) throw new FormatException($"{words[i]} is unknown");
            values[words[i]] = i + 1 < words.Length ? words[i + 1] : throw new FormatException($"{words[i]} has no value");
        }

        if (!values.TryGetValue("--listen", out var listen)) throw new FormatException("--listen tcp://ADDRESS:PORT, tls://ADDRESS:PORT, udp://ADDRESS:PORT, unix:PATH or unixgram:PATH is missing");
        if (Number(values.GetValueOrDefault("--loops", "1")) != 1)
            throw new FormatException("--loops: this server runs one loop; use 1");

        return new Arguments(listen, ParseEndPoint(listen))
        {
            Backend = Enum.TryParse<LoopBackend>(values.GetValueOrDefault("--backend", "auto"), ignoreCase: true, out var backend)
                ? backend
                : throw new FormatException("--backend is auto or epoll"),
            Buffered = values.GetValueOrDefault("--protocol", "plain") switch
            {
                "plain" => false,
                "buffered" => true,
                _ => throw new FormatException("--protocol is plain or buffered"),
            },
            SendFile = values.GetValueOrDefault("--sendfile"),
            Certificate = values.GetValueOrDefault("--certificate"),
            Spin = TimeSpan.FromMicroseconds(Number(values.GetValueOrDefault("--spin", "0"))),
        };
    }

    private static EndPoint ParseEndPoint(string listen)
    {
        foreach (var scheme in (string[])["unix:", "unixgram:"])
        {
            if (listen.StartsWith(scheme, StringComparison.Ordinal)) return new UnixDomainSocketEndPoint(listen[scheme.Length..]);
        }

        foreach (var scheme in (string[])["tcp://", TlsScheme, "udp://"])
        {
            if (listen.StartsWith(scheme, StringComparison.Ordinal) && IPEndPoint.TryParse(listen[scheme.Length..], out var address)) return address;
        }

        throw new FormatException($"{listen} is neither tcp://ADDRESS:PORT, tls://ADDRESS:PORT, udp://ADDRESS:PORT, unix:PATH nor unixgram:PATH");
    }

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"{text} is not a number");
}
