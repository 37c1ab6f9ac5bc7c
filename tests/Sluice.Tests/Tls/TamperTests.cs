using System.Net.Sockets;
using System.Security.Authentication;

namespace Sluice.Tests.Tls;

/// <summary>
/// A conversation over TLS, with client certificates, that is cut or falsified at every single byte of both directions: nobody hears of a connection
/// whose handshake has failed, what arrives is what was sent, whoever waits is told, and nothing stays behind.
/// </summary>
public sealed class TamperTests
{
    /// <summary>
    /// Where a falsified bit does no harm: in the version of the first record in each direction, of which OpenSSL looks at the first byte only. The hellos' bodies
    /// have the version that counts.
    /// </summary>
    private static readonly string[] Harmless = ["client hello, version", "server hello, version"];

    /// <summary>How many points there are at least in a direction: all of its bytes.</summary>
    private const int LeastPoints = 700;

    /// <summary>From the cut until the relay sees that its receiver has given up: one way there, one way back.</summary>
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMicroseconds(200);

    /// <summary>The passes of the receiver's loop meanwhile, those for the bytes before the cut included.</summary>
    private const int MostPasses = 8;

    [Theory, Case("BUG-006", "BUG-055", "BUG-056", "BUG-060", "TLS-017", "TLS-018")]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void A_connection_that_is_cut_at_any_byte_fails_at_once(SslProtocols version, bool fromClient) =>
        Everywhere(version, TamperKind.Cut, fromClient, static (tamper, run, place) =>
        {
            // The client has closed, and only the server's goodbye is missing: nobody misses anything.
            if (run.Succeeded)
            {
                Assert.True(!tamper.FromClient && place.IsLast, $"{tamper}, {place}: {run}");
                return;
            }

            Assert.False(run.GaveUp, $"{tamper}, {place}: {run}");
            if (run.ClientWasMade && !tamper.FromClient) Assert.IsType<TlsTruncatedException>(run.FailureOf(client: true));
            if (run.ServerWasMade && tamper.FromClient) Assert.IsType<TlsTruncatedException>(run.FailureOf(client: false));
            Assert.True(run.Reaction <= RoundTrip, $"{tamper}, {place}: {run.Reaction}, {run}");
            Assert.InRange(run.Passes, 0, MostPasses);
        });

    [Theory, Case("BUG-055", "TLS-018", "TLS-046")]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void A_connection_with_a_falsified_bit_fails_or_is_as_if_there_were_none(SslProtocols version, bool fromClient) =>
        Everywhere(version, TamperKind.Flip, fromClient, static (tamper, run, place) =>
        {
            if (run.Succeeded) Assert.True((place.IsFirst && Harmless.Contains(place.Name)) || (place.IsLast && !tamper.FromClient), $"{tamper}, {place}: {run}");
            else if (run.GaveUp) Assert.EndsWith("length", place.Name, StringComparison.Ordinal);
            else if (run.ClientWasMade) Assert.True(run.FailureOf(client: true) is not null || run.FailureOf(client: false) is not null, $"{tamper}, {place}: {run}");
        });

    private static void Everywhere(SslProtocols version, TamperKind kind, bool fromClient, Action<Tamper, TamperedRun, TlsPlace> judge)
    {
        using var world = new TamperedWorld(version);
        var whole = world.Run(null)!;
        Assert.True(whole.Succeeded, $"Untouched: {whole}");

        var position = 0;
        while (true)
        {
            var tamper = new Tamper(kind, fromClient, position);
            if (world.Run(tamper) is not { } run) break;
            JudgeAlways(tamper, run);
            judge(tamper, run, TlsPlace.Find(world.SentBy(fromClient), position));
            position++;
        }

        Assert.InRange(position, LeastPoints, int.MaxValue);
        TestContext.Current.SendDiagnosticMessage($"{version}, {kind}, from the {(fromClient ? "client" : "server")}: {position} points");
    }

    /// <summary>What holds wherever the tampering took place.</summary>
    private static void JudgeAlways(Tamper tamper, TamperedRun run)
    {
        Assert.True("ping"u8.StartsWith(run.ServerReceived), $"{tamper}: the server received what was not sent");
        Assert.True("pong"u8.StartsWith(run.ClientReceived), $"{tamper}: the client received what was not sent");
        Assert.True(run.ConnectFailure is null or AuthenticationException or SocketException, $"{tamper}: {run.ConnectFailure}");
        Assert.Equal(run.ConnectFailure is null, run.ClientWasMade);
        if (!run.ClientWasMade) Assert.True(run.ServerReceived.IsEmpty, $"{tamper}: {run}");
        if (!run.ServerWasMade) Assert.True(run.ClientReceived.IsEmpty, $"{tamper}: {run}");
    }
}
