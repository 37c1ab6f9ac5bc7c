using Sluice.Testing;

namespace Sluice.KernelTests;

/// <summary>Every check of the conformance suite that needs no simulation, over epoll and real sockets of each family.</summary>
public sealed class TransportChecksOnEpoll
{
    public static IEnumerable<TheoryDataRow<string, SocketFamily>> Rows =>
        from check in CheckSelection.Wanted
        from family in Enum.GetValues<SocketFamily>()
        where check.FitsOn(EpollStage.OffersOf(family))
        select Row(check, family);

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_transport_behaves_as_the_check_says(string check, SocketFamily family) => EpollStage.Run(TransportChecks.Get(check), family);

    private static TheoryDataRow<string, SocketFamily> Row(TransportCheck check, SocketFamily family) => new(check.Name, family)
    {
        TestDisplayName = CheckSelection.NameOf(check, $"epoll {family}"),
        Skip = EpollStage.WhyNot(family),
    };
}
