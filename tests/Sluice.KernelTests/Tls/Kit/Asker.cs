using System.Net;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>A TLS client of ours that says "hello" and waits for an answer. Owned by its test.</summary>
internal sealed class Asker
{
    private Asker()
    {
    }

    /// <summary>Why it could not connect, or null.</summary>
    public Exception? Failure { get; private set; }

    public RecordingProtocol Protocol { get; } = new();

    public bool WasAnswered => Protocol.Received.Length > 0;

    public static async Task<Asker> ConnectAsync(EventLoop loop, int port, TlsClientOptions tls)
    {
        var asker = new Asker();
        asker.Protocol.OnMade = static transport => transport.Write("hello\n"u8);
        asker.Protocol.OnData = _ => asker.Protocol.Transport.Close();
        try
        {
            await loop.CreateConnectionAsync(() => asker.Protocol, new IPEndPoint(IPAddress.Loopback, port), new ConnectionOptions { Tls = tls });
        }
        catch (Exception exception)
        {
            asker.Failure = exception;
        }

        return asker;
    }

    /// <summary>Waits until its connection is over, if there is one: it closes once it is answered.</summary>
    public async Task EndAsync()
    {
        if (Failure is null) await Protocol.Lost;
        Assert.Empty(Protocol.Violations);
    }
}
