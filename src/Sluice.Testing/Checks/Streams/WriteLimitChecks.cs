namespace Sluice.Testing.Checks.Streams;

/// <summary>The watermarks themselves: their defaults, their formulae, and what is refused.</summary>
internal static class WriteLimitChecks
{
    [Check("FLOW-001")]
    public static async Task The_limits_begin_where_asyncio_s_do(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Equal(stage.DefaultLimits, pair.Client.WriteBufferLimits);
        Check.Equal(stage.DefaultLimits, pair.Server.WriteBufferLimits);
        Check.Equal(0, pair.Client.WriteBufferSize);
    }

    [Check("FLOW-002", "FLOW-009")]
    public static async Task One_limit_gives_the_other(CheckStage stage)
    {
        var client = (await stage.ConnectAsync()).Client;

        Check.Equal((1, 7), Limits(client, high: 7));
        Check.Equal((16_385, 65_540), Limits(client, low: 16_385));
        Check.Equal((128, 1_024), Limits(client, high: 1_024, low: 128));
        Check.Equal((5, 5), Limits(client, high: 5, low: 5));
        Check.Equal((0, 0), Limits(client, high: 0));
        Check.Equal((0, 0), Limits(client, low: 0));
        Check.Equal(stage.DefaultLimits, Limits(client));
    }

    [Check("FLOW-003")]
    public static async Task Impossible_limits_are_refused_and_the_old_ones_stay(CheckStage stage)
    {
        var client = (await stage.ConnectAsync()).Client;
        client.SetWriteBufferLimits(high: 1_024, low: 128);

        Check.Throws<ArgumentOutOfRangeException>(() => client.SetWriteBufferLimits(high: 0, low: 1));
        Check.Throws<ArgumentOutOfRangeException>(() => client.SetWriteBufferLimits(high: -1));
        Check.Throws<ArgumentOutOfRangeException>(() => client.SetWriteBufferLimits(low: -1));
        Check.Throws<ArgumentOutOfRangeException>(() => client.SetWriteBufferLimits(high: 10, low: -1));
        Check.Throws<ArgumentOutOfRangeException>(() => client.SetWriteBufferLimits(low: int.MaxValue));

        Check.Equal((128, 1_024), client.WriteBufferLimits);
    }

    private static (int Low, int High) Limits(ITransport transport, int? high = null, int? low = null)
    {
        transport.SetWriteBufferLimits(high, low);
        return transport.WriteBufferLimits;
    }
}
