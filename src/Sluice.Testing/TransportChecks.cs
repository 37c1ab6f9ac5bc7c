using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Sluice.Testing.Checks;
using Sluice.Testing.Checks.Connecting;
using Sluice.Testing.Checks.Datagrams;
using Sluice.Testing.Checks.Files;
using Sluice.Testing.Checks.Pipes;
using Sluice.Testing.Checks.Protocols;
using Sluice.Testing.Checks.Serving;
using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Checks.Subprocesses;
using Sluice.Testing.Checks.Tls;

namespace Sluice.Testing;

/// <summary>The conformance suite: every behaviour of the transports, written once, run over each kernel and over transports of your own.</summary>
public static class TransportChecks
{
    /// <summary>All checks, in the order of their classes and names.</summary>
    public static IReadOnlyList<TransportCheck> All { get; } =
    [
        .. In(typeof(BirthChecks)),
        .. In(typeof(ReadingChecks)),
        .. In(typeof(FlowControlChecks)),
        .. In(typeof(WriteLimitChecks)),
        .. In(typeof(FlowCallbackChecks)),
        .. In(typeof(BufferedProtocolChecks)),
        .. In(typeof(BufferedFailureChecks)),
        .. In(typeof(ProtocolExchangeChecks)),
        .. In(typeof(BufferWriterChecks)),
        .. In(typeof(ContextChecks)),
        .. In(typeof(ProtocolContractChecks)),
        .. In(typeof(WritingChecks)),
        .. In(typeof(WriteLinesChecks)),
        .. In(typeof(WriteEofChecks)),
        .. In(typeof(SendFileChecks)),
        .. In(typeof(SendFileFlowChecks)),
        .. In(typeof(SendFileEndChecks)),
        .. In(typeof(ClosingChecks)),
        .. In(typeof(LingeringChecks)),
        .. In(typeof(AbortChecks)),
        .. In(typeof(ErrorChecks)),
        .. In(typeof(ReentrancyChecks)),
        .. In(typeof(ExtraInfoChecks)),
        .. In(typeof(ProtocolHandoverChecks)),
        .. In(typeof(FactoryChecks)),
        .. In(typeof(LimitChecks)),
        .. In(typeof(FairnessChecks)),
        .. In(typeof(ServingChecks)),
        .. In(typeof(ListenChecks)),
        .. In(typeof(AcceptChecks)),
        .. In(typeof(ConnectionLimitChecks)),
        .. In(typeof(IdleReplacementChecks)),
        .. In(typeof(TimeLimitChecks)),
        .. In(typeof(ServerLifeChecks)),
        .. In(typeof(ServeForeverChecks)),
        .. In(typeof(DrainChecks)),
        .. In(typeof(DrainCallbackChecks)),
        .. In(typeof(DrainDeliveryChecks)),
        .. In(typeof(DrainBacklogChecks)),
        .. In(typeof(ExistingSocketChecks)),
        .. In(typeof(ForeignOptionChecks)),
        .. In(typeof(SignalChecks)),
        .. In(typeof(ConnectChecks)),
        .. In(typeof(ConnectArgumentChecks)),
        .. In(typeof(ConnectErrorChecks)),
        .. In(typeof(BacklogChecks)),
        .. In(typeof(ConnectRaceChecks)),
        .. In(typeof(ConnectCancelChecks)),
        .. In(typeof(LocalAddressChecks)),
        .. In(typeof(NameChecks)),
        .. In(typeof(ExistingListenerChecks)),
        .. In(typeof(UnixServerChecks)),
        .. In(typeof(RawUnixNameChecks)),
        .. In(typeof(UnixPeerChecks)),
        .. In(typeof(DatagramBirthChecks)),
        .. In(typeof(DatagramReceivingChecks)),
        .. In(typeof(DatagramSendingChecks)),
        .. In(typeof(DatagramFlowChecks)),
        .. In(typeof(DatagramRefusalChecks)),
        .. In(typeof(DatagramClosingChecks)),
        .. In(typeof(DatagramEndpointChecks)),
        .. In(typeof(DatagramUnixChecks)),
        .. In(typeof(SubprocessStartChecks)),
        .. In(typeof(SubprocessPipeChecks)),
        .. In(typeof(SubprocessEndChecks)),
        .. In(typeof(SubprocessStreamChecks)),
        .. In(typeof(SubprocessWaitChecks)),
        .. In(typeof(EndpointContextChecks)),
        .. In(typeof(PipeBirthChecks)),
        .. In(typeof(PipeReadingChecks)),
        .. In(typeof(PipeWritingChecks)),
        .. In(typeof(TlsConnectChecks)),
        .. In(typeof(TlsHandshakeChecks)),
        .. In(typeof(TlsDataChecks)),
        .. In(typeof(TlsClosingChecks)),
        .. In(typeof(StartTlsChecks)),
    ];

    /// <summary>The check with a name.</summary>
    /// <param name="name"><see cref="TransportCheck.Name"/>.</param>
    public static TransportCheck Get(string name) => All.First(check => check.Name == name);

    /// <summary>The checks that need no more than a stage offers.</summary>
    /// <param name="offers"><see cref="CheckStage.Offers"/>.</param>
    public static IEnumerable<TransportCheck> For(CheckNeeds offers) => All.Where(check => check.FitsOn(offers));

    private static IEnumerable<TransportCheck> In([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] Type type) =>
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static)
        let mark = method.GetCustomAttribute<CheckAttribute>()
        where mark is not null
        orderby method.Name
        select Read(method, mark);

    /// <summary>A check that takes a <see cref="KernelStage"/> needs one.</summary>
    private static TransportCheck Read(MethodInfo method, CheckAttribute mark)
    {
        if (method.GetParameters()[0].ParameterType == typeof(CheckStage))
        {
            return new TransportCheck(method.Name, mark.CaseIds, mark.Needs, method.CreateDelegate<Func<CheckStage, Task>>());
        }

        var run = method.CreateDelegate<Func<KernelStage, Task>>();
        return new TransportCheck(method.Name, mark.CaseIds, mark.Needs | CheckNeeds.Kernel, stage => run((KernelStage)stage));
    }
}
