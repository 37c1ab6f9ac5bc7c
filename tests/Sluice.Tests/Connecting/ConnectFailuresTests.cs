using System.Net.Sockets;
using Sluice.Connecting;

namespace Sluice.Tests.Connecting;

/// <summary>What is made of the failures of several addresses.</summary>
public sealed class ConnectFailuresTests
{
    private static readonly SocketException Refused = new((int)SocketError.ConnectionRefused, "a refused");
    private static readonly SocketException Silent = new((int)SocketError.TimedOut, "b is silent");

    [Fact, Case("CONN-015")]
    public void One_failure_is_that_failure() => Assert.Same(Refused, ConnectFailures.Merge([Refused], allErrors: false));

    [Fact, Case("CONN-016")]
    public void Failures_with_one_text_are_the_first() =>
        Assert.Same(Refused, ConnectFailures.Merge([Refused, new((int)SocketError.TimedOut, "a refused")], allErrors: false));

    [Fact, Case("CONN-016")]
    public void Different_failures_are_one_with_the_first_one_s_code_and_every_text()
    {
        var merged = Assert.IsType<ConnectionFailedException>(ConnectFailures.Merge([Refused, Silent], allErrors: false));

        Assert.Equal(SocketError.ConnectionRefused, merged.SocketErrorCode);
        Assert.Equal("Multiple exceptions: a refused, b is silent", merged.Message);
        Assert.Equal([Refused, Silent], merged.Failures);
    }

    [Fact, Case("CONN-017")]
    public void All_errors_are_a_group_in_their_order()
    {
        Assert.Equal([Refused, Silent], Assert.IsType<AggregateException>(ConnectFailures.Merge([Refused, Silent], allErrors: true)).InnerExceptions);
        Assert.Equal([Silent], Assert.IsType<AggregateException>(ConnectFailures.Merge([Silent], allErrors: true)).InnerExceptions);
    }

    [Theory, Case("CONN-036")]
    [InlineData(false)]
    [InlineData(true)]
    public void No_failure_at_all_is_an_error_of_its_own(bool allErrors)
    {
        var merged = ConnectFailures.Merge([], allErrors);

        var reason = Assert.IsType<SocketException>(allErrors ? Assert.IsType<AggregateException>(merged).InnerException : merged);
        Assert.Equal(SocketError.HostNotFound, reason.SocketErrorCode);
        Assert.Equal("There was no address to connect to.", reason.Message);
    }
}
