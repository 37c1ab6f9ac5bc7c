using Sluice.Testing;
using Sluice.Testing.Kits;

namespace Sluice.KernelTests;

/// <summary>Every check of the conformance suite that fits a TLS transport, over epoll and real sockets.</summary>
public sealed class TransportChecksOverTls
{
    public static IEnumerable<TheoryDataRow<string, SocketFamily>> Rows =>
        from check in CheckSelection.Wanted
        from family in (SocketFamily[])[SocketFamily.Tcp4, SocketFamily.Unix]
        where check.FitsOn(EpollStage.OffersWithTls)
        select new TheoryDataRow<string, SocketFamily>(check.Name, family) { TestDisplayName = CheckSelection.NameOf(check, $"TLS, epoll {family}") };

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_transport_behaves_as_the_check_says(string check, SocketFamily family) => EpollStage.Run(TransportChecks.Get(check), family, TestTls.Default);
}
