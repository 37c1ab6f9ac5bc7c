using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

public sealed class ConnectionSetTests
{
    [Fact]
    public void It_agrees_with_a_list_for_any_order_of_removals()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            using var rig = new LoopRig();
            var emptied = 0;
            var set = new ConnectionSet(() => emptied++);
            var model = new List<StreamTransport>();
            for (var i = 0; i < 10; i++) model.Add(Connect(rig, set));
            while (model.Count > 0)
            {
                Assert.Equal(model.ToHashSet(), set.Snapshot().ToHashSet());
                Assert.Equal((model.Count, 0), (set.Count, emptied));
                var leaver = model[random.Next(model.Count)];
                model.Remove(leaver);
                ConnectionSet.Remove(leaver);
                ConnectionSet.Remove(leaver);
            }

            Assert.Equal((0, 1), (set.Count, emptied));
        }
    }

    private static SocketTransport Connect(LoopRig rig, ConnectionSet set) =>
        new(rig.Loop, new ScriptedChannel(rig.Backend, []), new TracedProtocol(new Callbacks([])), new TransportOrigin(set, ConnectionOptions.Default, null, null));
}
