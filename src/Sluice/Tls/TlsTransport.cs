using System.Security.Authentication;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;
using Sluice.Transports;

namespace Sluice.Tls;

/// <summary>
/// The transport that an app's protocol sees over TLS: the library's stream transport, over a channel that encrypts. Adds what TLS does otherwise: it begins when the
/// handshake is done, and ends with an exchange of goodbyes.
/// </summary>
internal sealed class TlsTransport : StreamTransport, ITransport
{
    private const int DefaultHigh = 512 * 1024;

    /// <summary>The connections below: only their TLS counts, closes and ends them.</summary>
    private static readonly ConnectionOptions LowerOptions = new();

    private readonly TlsChannel _tls;

    private TlsTransport(LoopCore loop, TlsChannel channel, IProtocol<ITransport> protocol, in TransportOrigin origin)
        : base(loop, channel, protocol.Instance, origin, DefaultHigh) => _tls = channel;

    public override bool IsClosing => base.IsClosing || _tls.IsLowerClosing;

    public override bool CanWriteEof => false;

    /// <summary>
    /// Makes the protocol and its transport for a fresh connection, and begins the handshake in a turn of its own. Owns the channel: whatever goes wrong, it is
    /// closed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static TlsTransport Create<TProtocol>(
        LoopCore loop, StreamChannel channel, Func<TProtocol> factory, in TransportOrigin origin, TlsRole role, TlsWorkspace space)
        where TProtocol : class, IProtocol<ITransport>
    {
        var protocol = SocketTransport.MakeProtocol(channel, factory, origin.Context);
        var tls = new TlsChannel(loop, role, space);
        var transport = new TlsTransport(loop, tls, protocol, origin with { Birth = Birth.WhenReady });
        tls.Bind(new SocketTransport(loop, channel, tls.Protocol, new TransportOrigin(new ConnectionSet(), LowerOptions, origin.Context, null)));
        return transport;
    }

    /// <summary>
    /// Puts TLS between a connection and its protocol, and begins the handshake. The protocol has had its ConnectionMade, so whatever goes wrong from here on ends in
    /// its ConnectionLost.
    /// </summary>
    /// <exception cref="InvalidOperationException">The transport was closed, by a callback that its last writes called.</exception>
    public static TlsTransport Upgrade(
        LoopCore loop, ITransport lower, IProtocol<ITransport> protocol, in TransportOrigin origin, TlsRole role, TlsWorkspace shared, ReadOnlyMemory<byte> received)
    {
        var own = lower as StreamTransport;
        var tls = new TlsChannel(loop, role, lower is SocketTransport ? shared : new TlsWorkspace());
        // Nothing is read between the two protocols, and what the old one has written leaves in front.
        lower.PauseReading();
        lower.SetProtocol(tls.Protocol);
        if (lower.Protocol != tls.Protocol) throw new InvalidOperationException("The transport is closed.");
        var transport = new TlsTransport(loop, tls, protocol, origin);
        tls.Bind(lower);
        tls.BeginHandshake();
        own?.PutBelow(transport);
        own?.Limits.HandOver(transport);
        if (own is { Receiving.HasUnread: true } && !role.Options.HandOverUnread)
        {
            transport.FailStart(new AuthenticationException(
                "Bytes had arrived before the upgrade to TLS that nobody has read: a peer that does not wait for the agreement may be somebody in between. HandOverUnread gives them to TLS."),
                reset: true);
            return transport;
        }

        if (!received.IsEmpty) tls.HandOver(received);
        if (own is { State.Reads: ReadSide.Ended }) tls.OnEnd();
        tls.StartReceiving();
        return transport;
    }

    public override void WriteEof()
    {
        EnterCall();
        throw new NotSupportedException("TLS has no end of one side alone: CanWriteEof is false. Close the transport.");
    }

    internal override void CallConnectionMade() => Binding.ConnectionMade<ITransport>(this);

    internal override TimeSpan? SilentSince => _tls.SilentSince;

    internal override bool RequestDrainBelow(TimeSpan grace) => _tls.Lower is StreamTransport lower && DrainNotice.Request(lower, grace);

    private protected override void BeginClosing() => _tls.BeginClosing();

    /// <summary>Everything is encrypted and handed down: what is left is to say goodbye, and to wait for the peer's.</summary>
    private protected override void FinishClosing() => _tls.ShutDown();

    /// <summary>The goodbyes are said, or it is no use to wait for the peer's.</summary>
    internal void EndClosing(Exception? reason) => Lose(reason);

    private protected override bool KeepsOpenAfterEof()
    {
        Loop.Errors.LogWarning("EofReceived over TLS", "EofReceived returned true, which has no effect over TLS: the transport closes.");
        return false;
    }

    private protected override Exception ToException(IoError error) => _tls.Failure ?? error.ToException();

    private protected override object? FindExtraInfo(string name) => _tls.FindExtraInfo(name);

    private protected override string DescribeEnds() => $"over {_tls.Lower}";
}
