using System.Net;
using System.Runtime.InteropServices;
using Sluice.Testing;

namespace Sluice.Tests.Tls;

/// <summary>A program between a client and a server that passes on what each sends, and tampers with one byte if it is asked to. Owned by its world.</summary>
internal sealed class WireRelay(SimulatedHost host, EndPoint server)
{
    private readonly SimulatedHost _host = host;
    private readonly EndPoint _server = server;
    private readonly List<byte> _fromClient = [];
    private readonly List<byte> _fromServer = [];
    private int _open;

    public IPAddress Address => _host.Address;

    /// <summary>What it does to the connections from now on; null passes everything on.</summary>
    public Tamper? Tamper { get; set; }

    /// <summary>The tampering has taken place.</summary>
    public bool HasTampered { get; private set; }

    /// <summary>Hears of it when it takes place.</summary>
    public Action? Tampered { get; set; }

    /// <summary>Hears that one of the ends has ended the connection, or broken it: from the client's side, or from the server's.</summary>
    public Action<bool>? Ended { get; set; }

    /// <summary>Both sides of the last connection are gone.</summary>
    public bool IsIdle => _open == 0;

    /// <summary>What the client, or the server, has sent in the last connection, before it was tampered with.</summary>
    public ReadOnlySpan<byte> SentBy(bool client) => CollectionsMarshal.AsSpan(client ? _fromClient : _fromServer);

    public Task ServeAsync(int port) =>
        _host.Loop.CreateServerAsync(() => new Side(this, isClient: true), new IPEndPoint(IPAddress.Any, port));

    /// <summary>One of the two connections: to the client, or to the server.</summary>
    private sealed class Side(WireRelay relay, bool isClient) : Protocol
    {
        private readonly List<byte> _early = [];
        private ITransport? _transport;
        private Side? _other;
        private bool _isCut;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            relay._open++;
            if (!isClient) return;
            relay._fromClient.Clear();
            relay._fromServer.Clear();
            relay.HasTampered = false;
            _ = DialAsync();
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            if (_other is null)
            {
                _early.AddRange(data);
                return;
            }

            PassOn(data);
        }

        public override bool EofReceived()
        {
            relay.Ended?.Invoke(isClient);
            return false;
        }

        public override void ConnectionLost(Exception? exception)
        {
            relay._open--;
            if (exception is not null)
            {
                relay.Ended?.Invoke(isClient);
                _other?._transport!.Abort();
            }
            else
            {
                _other?._transport!.Close();
            }
        }

        private async Task DialAsync()
        {
            var (_, other) = await relay._host.Loop.CreateConnectionAsync(() => new Side(relay, isClient: false), relay._server);
            other._other = this;
            _other = other;
            if (_transport!.IsClosing) other._transport!.Close();
            PassOn(CollectionsMarshal.AsSpan(_early));
        }

        private void PassOn(ReadOnlySpan<byte> data)
        {
            var log = isClient ? relay._fromClient : relay._fromServer;
            var start = log.Count;
            log.AddRange(data);
            if (_isCut) return;
            var destination = _other!._transport!;
            if (relay.Tamper is not { } tamper || tamper.FromClient != isClient || tamper.Position < start || tamper.Position >= log.Count)
            {
                destination.Write(data);
                return;
            }

            relay.HasTampered = true;
            var at = tamper.Position - start;
            destination.Write(data[..at]);
            if (tamper.Kind == TamperKind.Cut)
            {
                _isCut = true;
                destination.WriteEof();
            }
            else
            {
                destination.Write([(byte)(data[at] ^ tamper.Mask)]);
                destination.Write(data[(at + 1)..]);
            }

            relay.Tampered?.Invoke();
        }
    }
}
