using Sluice.Testing;

namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>All that the conformance suite has to be told of a pipe.</summary>
internal sealed class PipeStage(EventLoop loop, PipeFault fault = PipeFault.None) : CheckStage
{
    public const CheckNeeds Offered = CheckNeeds.Reset | CheckNeeds.HalfClose | CheckNeeds.BufferLimit | CheckNeeds.Alone;

    public override EventLoop Loop => loop;

    public override CheckNeeds Offers => Offered;

    /// <summary>Every turn of a pipe leads to few others.</summary>
    public override Task SettleAsync() => PassesAsync(100);

    protected override Task<(ITransport Client, ITransport Server)> ConnectEndsAsync(
        Func<IProtocol<ITransport>> client, Func<IProtocol<ITransport>> server, ConnectionOptions? clientOptions, ServerOptions? serverOptions) =>
        PipeTransport.ConnectAsync(loop, client, server, clientOptions, serverOptions, fault);
}
