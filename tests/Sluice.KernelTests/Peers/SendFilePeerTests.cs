using System.Text;
using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>Files sent by the kernel to programs that are not ours.</summary>
public sealed class SendFilePeerTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public SendFilePeerTests() => File.WriteAllBytes(_path, PeerRun.Mebibyte);

    public void Dispose() => File.Delete(_path);

    [Fact, Case("SENDFILE-001", "SENDFILE-009")]
    public void Curl_downloads_a_file() => PeerRun.OnLoop(async loop =>
    {
        var target = _path + ".got";
        var output = await PeerRun.ServeAsync(
            loop,
            Serving(loop, $"HTTP/1.1 200 OK\r\nContent-Length: {PeerRun.Mebibyte.Length}\r\n\r\n"),
            port => PeerProcess.Start("curl", "-sS", "--noproxy", "*", "-o", target, "-w", "%{http_code} %{size_download}", $"http://127.0.0.1:{port}/"));

        Assert.Equal($"200 {PeerRun.Mebibyte.Length}", output);
        Assert.Equal(PeerRun.Mebibyte, await File.ReadAllBytesAsync(target));
        File.Delete(target);
    });

    [Fact, Case("SENDFILE-001")]
    public void An_asyncio_client_receives_a_file() => PeerRun.OnLoop(async loop =>
    {
        var output = await PeerRun.ServeAsync(
            loop, Serving(loop, ""), static port => PeerProcess.Python("asyncio_peer.py", "connect", "wait_for_end", $"{port}"));

        Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
    });

    /// <summary>When it is asked, sends a head and the file, then closes.</summary>
    private RecordingProtocol Serving(EventLoop loop, string head)
    {
        var protocol = new RecordingProtocol();
        protocol.OnData = request => _ = SendAsync(protocol.Transport);
        return protocol;

        async Task SendAsync(ITransport transport)
        {
            await using var file = File.OpenRead(_path);
            transport.Write(Encoding.ASCII.GetBytes(head));
            Assert.Equal(PeerRun.Mebibyte.Length, await loop.SendFileAsync(transport, file, fallback: false));
            transport.Close();
        }
    }
}
