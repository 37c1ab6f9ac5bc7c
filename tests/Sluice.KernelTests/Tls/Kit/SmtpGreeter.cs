using System.Text;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls.Kit;

/// <summary>As much of an SMTP server as OpenSSL asks for before it upgrades to TLS, and one answer behind. Owned by its test.</summary>
internal sealed class SmtpGreeter
{
    private readonly EventLoop _loop;
    private readonly TaskCompletionSource<ITransport> _upgraded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITransport? _transport;
    private int _read;

    public SmtpGreeter(EventLoop loop)
    {
        _loop = loop;
        Protocol = new RecordingProtocol
        {
            OnMade = transport =>
            {
                _transport = transport;
                transport.Write("220 mail ready\r\n"u8);
            },
            OnData = _ => Answer(),
        };
    }

    public RecordingProtocol Protocol { get; }

    /// <summary>The transport after the upgrade.</summary>
    public Task<ITransport> Upgraded => _upgraded.Task;

    private void Answer()
    {
        if (Protocol.Received[^1] != '\n') return;
        var line = Encoding.ASCII.GetString(Protocol.Received[_read..]).TrimEnd();
        _read = Protocol.Received.Length;
        if (_upgraded.Task.IsCompleted)
        {
            _transport!.Write("250 secured\r\n"u8);
        }
        else if (line == "STARTTLS")
        {
            _transport!.Write("220 go ahead\r\n"u8);
            _ = UpgradeAsync();
        }
        else
        {
            _transport!.Write("250-mail\r\n250 STARTTLS\r\n"u8);
        }
    }

    private async Task UpgradeAsync()
    {
        try
        {
            _transport = await _loop.StartTlsAsync(_transport!, Protocol, TlsParties.Server());
            _upgraded.SetResult(_transport);
        }
        catch (Exception exception)
        {
            _upgraded.SetException(exception);
        }
    }
}
