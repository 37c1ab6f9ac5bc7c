using System.Security.Authentication;

namespace Sluice.Tests.Tls;

/// <summary>
/// A conversation over TLS, with client certificates, that is cut or falsified at every single byte of both directions: nobody hears of a connection
/// whose handshake has failed, what arrives is what was sent, whoever waits is told, and nothing stays behind.
/// </summary>
public sealed class TamperTests
{
    /// <summary>Where a falsified bit may do no harm: what OpenSSL does not look at, and what nobody reads any more.</summary>
    private static readonly string[] Harmless = [];

    /// <summary>How many points there are at least in each direction: all of them, so a number that is too small shows that the relay did not work.</summary>
    private const int LeastPoints = 500;

    /// <summary>From the cut until the relay sees that its receiver has given up: one way there, one way back.</summary>
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMicroseconds(200);

    private const int MostPasses = 4;

    [Theory, Case("BUG-006", "BUG-055", "BUG-056", "BUG-060", "TLS-017", "TLS-018")]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, true)]
    [InlineData(SslProtocols.Tls13, false)]
    public void A_connection_that_is_cut_at_any_byte_fails_at_once(SslProtocols version, bool fromClient) =>
        Everywhere(version, TamperKind.Cut, fromClient, static (tamper, run, _) =>
        {
            Assert.True(run.FailureOf(client: !tamper.FromClient) is not null || !tamper.FromClient || !run.ServerWasMade, $"{tamper} is no error: {run}");
            Assert.NotNull(run.Reaction);
            Assert.InRange(run.Reaction.Value, TimeSpan.Zero, RoundTrip);
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
            if (run.Succeeded) Assert.Contains(place, Harmless);
        });

    private static void Everywhere(SslProtocols version, TamperKind kind, bool fromClient, Action<Tamper, TamperedRun, string> judge)
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
            judge(tamper, run, TlsRecords.Describe(world.SentBy(fromClient), position));
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
        Assert.True(run.ConnectFailure is null == run.ClientWasMade, $"{tamper}: {run}");
        if (!run.ClientWasMade) Assert.True(run.ServerReceived.IsEmpty, $"{tamper}: {run}");
    }
}
