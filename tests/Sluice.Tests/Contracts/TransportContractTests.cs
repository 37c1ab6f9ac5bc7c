namespace Sluice.Tests.Contracts;

/// <summary>What a type that calls itself a transport must bring: all of it, or it does not compile.</summary>
public sealed class TransportContractTests
{
    [Theory]
    [Case("PROTO-008", "PROTO-009", "PROTO-010")]
    [InlineData(typeof(IBaseTransport))]
    [InlineData(typeof(IReadTransport))]
    [InlineData(typeof(IWriteTransport))]
    [InlineData(typeof(IWriteFlowControl))]
    [InlineData(typeof(ITransport))]
    [InlineData(typeof(IDatagramTransport))]
    [InlineData(typeof(ISubprocessTransport))]
    public void No_member_has_a_body_that_an_implementation_could_forget_about(Type contract)
    {
        var members = contract.GetMethods();

        Assert.NotEmpty(members);
        Assert.All(members, static member => Assert.True(member.IsAbstract, member.Name));
    }

    [Fact]
    [Case("PROTO-012")]
    public void The_keys_of_extra_info_bear_their_names_in_asyncio()
    {
        Assert.Equal("socket", ExtraInfo.Socket.Name);
        Assert.Equal("sockname", ExtraInfo.SocketName.Name);
        Assert.Equal("peername", ExtraInfo.PeerName.Name);
        Assert.Equal("peername", ExtraInfo.PeerName.ToString());
    }
}
