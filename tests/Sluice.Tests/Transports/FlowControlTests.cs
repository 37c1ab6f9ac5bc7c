using Sluice.Transports;

namespace Sluice.Tests.Transports;

public sealed class FlowControlTests
{
    [Fact]
    [Case("FLOW-001")]
    public void The_default_limits_are_asyncio_s()
    {
        var flow = new FlowControl();

        Assert.Equal((16384, 65536), (flow.Low, flow.High));
    }

    [Theory]
    [Case("FLOW-002", "FLOW-009")]
    [InlineData(null, null, 16384, 65536)]
    [InlineData(1000, null, 250, 1000)]
    [InlineData(1003, null, 250, 1003)]
    [InlineData(3, null, 0, 3)]
    [InlineData(0, null, 0, 0)]
    [InlineData(null, 16385, 16385, 65540)]
    [InlineData(null, 0, 0, 0)]
    [InlineData(7, 7, 7, 7)]
    [InlineData(65536, 0, 0, 65536)]
    [InlineData(int.MaxValue, null, int.MaxValue / 4, int.MaxValue)]
    [InlineData(null, int.MaxValue / 4, int.MaxValue / 4, int.MaxValue - 3)]
    public void Limits_follow_asyncio_s_formulae(int? high, int? low, int expectedLow, int expectedHigh)
    {
        var flow = new FlowControl();

        flow.SetLimits(high, low);

        Assert.Equal((expectedLow, expectedHigh), (flow.Low, flow.High));
    }

    [Theory]
    [Case("FLOW-003")]
    [InlineData(0, 1)]
    [InlineData(10, 11)]
    [InlineData(-1, null)]
    [InlineData(-4, null)]
    [InlineData(-8, -8)]
    [InlineData(null, -1)]
    [InlineData(10, -1)]
    [InlineData(null, int.MaxValue / 4 + 1)]
    [InlineData(null, int.MaxValue)]
    public void Impossible_limits_are_refused_and_change_nothing(int? high, int? low)
    {
        var flow = new FlowControl();
        flow.SetLimits(100, 50);

        Assert.Throws<ArgumentOutOfRangeException>(() => flow.SetLimits(high, low));

        Assert.Equal((50, 100), (flow.Low, flow.High));
    }

    [Fact]
    [Case("FLOW-005", "FLOW-006")]
    public void Pausing_and_resuming_alternate_for_any_sequence_of_sizes()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var (low, high) = (random.Next(0, 10), random.Next(10, 20));
            var flow = new FlowControl();
            flow.SetLimits(high, low);
            var isPaused = false;
            for (var step = 0; step < 200; step++)
            {
                var size = random.Next(0, 30);
                Assert.Equal(!isPaused && size > high, flow.TryPause(size));
                isPaused |= size > high;
                size = random.Next(0, 30);
                Assert.Equal(isPaused && size <= low, flow.TryResume(size));
                isPaused &= size > low;
            }
        }
    }
}
