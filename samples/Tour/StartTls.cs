using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sluice;

namespace Tour;

/// <summary>A connection begins in the clear, both sides agree on TLS, and the same protocols go on over it.</summary>
internal static class StartTls
{
    private const string Secret = "a secret";

    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("11. StartTls: a plain connection becomes a protected one");
        using var certificate = Tls.MakeCertificate();
        var server = await loop.CreateServerAsync(() => new UpgradingServer(loop, transcript, certificate), new IPEndPoint(IPAddress.Loopback, 0));
        var (transport, client) = await loop.CreateConnectionAsync(() => new UpgradingClient(loop, transcript), server.EndPoints[0]);

        transcript.Call("client", "Write", "'starttls?'");
        transport.Write("starttls?"u8);
        await client.GoAhead;
        transcript.Call("client", "StartTls");
        transport = await loop.StartTlsAsync(transport, client, Tls.ForClient(certificate));
        transcript.Call("client", "Write", $"'{Secret}', protected by {transport.GetExtraInfo(ExtraInfo.Cipher)?.Protocol}");
        transport.Write(Encoding.UTF8.GetBytes(Secret));
        var answer = await client.Answer;
        transcript.Call("client", "Close");
        transport.Close();
        await client.Lost;
        await server.DisposeAsync();

        var isRight = answer == Secret
            && transcript.Saw("client", "ConnectionMade", "DataReceived", "DataReceived", "ConnectionLost")
            && transcript.Saw("server", "ConnectionMade", "DataReceived", "DataReceived", "EofReceived", "ConnectionLost");
        return transcript.Conclude(isRight, "one ConnectionMade, one ConnectionLost, and TLS in between");
    }

    private sealed class UpgradingServer(EventLoop loop, Transcript transcript, X509Certificate2 certificate) : Protocol
    {
        private ITransport? _transport;
        private bool _isProtected;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            transcript.Callback("server", "ConnectionMade", $"from {transport.GetExtraInfo(ExtraInfo.PeerName)}");
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            transcript.Callback("server", "DataReceived", Transcript.Quote(data));
            transcript.Call("server", "Write", _isProtected ? Transcript.Quote(data) : "'go ahead'");
            if (_isProtected)
            {
                _transport!.Write(data);
                return;
            }

            // Nothing may come between the go-ahead and the handshake.
            _isProtected = true;
            _transport!.PauseReading();
            _transport.Write("go ahead"u8);
            _ = UpgradeAsync();
        }

        public override bool EofReceived()
        {
            transcript.Callback("server", "EofReceived", "the client has said goodbye");
            return false;
        }

        public override void ConnectionLost(Exception? exception) => transcript.Callback("server", "ConnectionLost", Transcript.Describe(exception));

        private async Task UpgradeAsync()
        {
            transcript.Call("server", "StartTls");
            try
            {
                _transport = await loop.StartTlsAsync(_transport!, this, Tls.ForServer(certificate));
            }
            catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
            {
                // ConnectionLost has the reason too.
                transcript.Call("server", "StartTls failed", exception.Message);
            }
        }
    }

    private sealed class UpgradingClient(EventLoop loop, Transcript transcript) : Protocol
    {
        private readonly TaskCompletionSource _goAhead = loop.CreateFuture();
        private readonly TaskCompletionSource<string> _answer = loop.CreateFuture<string>();
        private readonly TaskCompletionSource _lost = loop.CreateFuture();

        public Task GoAhead => _goAhead.Task;

        public Task<string> Answer => _answer.Task;

        public Task Lost => _lost.Task;

        public override void ConnectionMade(ITransport transport) =>
            transcript.Callback("client", "ConnectionMade", $"to {transport.GetExtraInfo(ExtraInfo.PeerName)}");

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            transcript.Callback("client", "DataReceived", Transcript.Quote(data));
            if (!_goAhead.TrySetResult()) _answer.TrySetResult(Encoding.UTF8.GetString(data));
        }

        public override void ConnectionLost(Exception? exception)
        {
            transcript.Callback("client", "ConnectionLost", Transcript.Describe(exception));
            _lost.SetResult();
        }
    }
}
