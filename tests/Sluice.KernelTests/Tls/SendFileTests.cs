using System.Net;
using Sluice.Testing;
using Sluice.Testing.Kits;

namespace Sluice.KernelTests.Tls;

/// <summary>Files over TLS: the kernel must not send them past the encryption.</summary>
public sealed class SendFileTests
{
    private const int Size = 300_000;

    [Fact]
    [Case("SENDFILE-003", "SENDFILE-006", "BUG-067")]
    public void A_file_is_read_and_encrypted_or_refused()
    {
        var path = Path.GetTempFileName();
        try
        {
            var content = new byte[Size];
            new Random(1).NextBytes(content);
            File.WriteAllBytes(path, content);
            EventLoop.Run(async loop =>
            {
                var served = new RecordingProtocol();
                await using var server = await loop.CreateServerAsync(
                    () => served, new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = TestTls.Default.Server });
                var (transport, client) = await loop.CreateConnectionAsync(
                    () => new RecordingProtocol(), server.EndPoints[0], new ConnectionOptions { Tls = TestTls.Default.Client });
                using var file = File.OpenHandle(path);

                await Assert.ThrowsAsync<SendFileNotAvailableException>(() => loop.SendFileAsync(transport, file, fallback: false));
                transport.Write("in front"u8);
                Assert.Equal(Size, await loop.SendFileAsync(transport, file));
                transport.Write("behind"u8);
                transport.Close();
                Assert.Null(await client.Lost);
                Assert.Null(await served.Lost);

                Assert.Equal([.. "in front"u8, .. content, .. "behind"u8], served.Received.ToArray());
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    [Case("BUG-067")]
    public void The_transport_below_an_upgraded_one_sends_no_files()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, new byte[100]);
            EventLoop.Run(async loop =>
            {
                var served = new RecordingProtocol();
                await using var server = await loop.CreateServerAsync(() => served, new IPEndPoint(IPAddress.Loopback, 0));
                var (plain, client) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), server.EndPoints[0]);
                await served.Made;
                var upgrading = loop.StartTlsAsync(served.Transport, served, TestTls.Default.Server);
                var transport = await loop.StartTlsAsync(plain, client, TestTls.Default.Client);
                await upgrading;
                using var file = File.OpenHandle(path);

                await Assert.ThrowsAsync<InvalidOperationException>(() => loop.SendFileAsync(plain, file));

                transport.Close();
                await client.Lost;
                await served.Lost;
                Assert.Equal(0, served.Received.Length);
            });
        }
        finally
        {
            File.Delete(path);
        }
    }
}
