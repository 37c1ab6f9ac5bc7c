using System.Runtime.InteropServices;
using Sluice.Testing;

namespace Sluice.Tests.Testing;

/// <summary>Signals of a simulated host.</summary>
public sealed class SimulatedSignalTests
{
    [Fact, Case("SIG-001")]
    public void A_signal_wakes_a_loop_that_sleeps_and_only_that_of_its_host()
    {
        using var simulation = new Simulation(seed: 3);
        var sender = simulation.AddHost("sender");
        var receiver = simulation.AddHost("receiver");
        var heard = new List<string>();
        sender.Loop.AddSignalHandler(PosixSignal.SIGHUP, () => heard.Add("sender"));
        receiver.Loop.AddSignalHandler(PosixSignal.SIGHUP, () => heard.Add($"receiver, on its loop: {EventLoop.Current == receiver.Loop}"));

        simulation.Run(async () =>
        {
            await Task.Delay(TimeSpan.FromHours(1), sender.Loop.TimeProvider);
            Assert.True(receiver.SendSignal(PosixSignal.SIGHUP));
            await Task.Delay(TimeSpan.FromHours(1), sender.Loop.TimeProvider);
        });

        Assert.Equal(["receiver, on its loop: True"], heard);
    }

    [Fact, Case("SIG-004")]
    public void Sending_says_whether_there_is_a_handler()
    {
        using var simulation = new Simulation(seed: 3);
        var host = simulation.AddHost("host");
        Assert.False(host.SendSignal(PosixSignal.SIGTERM));

        var handle = host.Loop.AddSignalHandler(PosixSignal.SIGTERM, static () => { });
        Assert.True(host.SendSignal(PosixSignal.SIGTERM));
        Assert.True(host.SendSignal((PosixSignal)15));
        Assert.False(host.SendSignal(PosixSignal.SIGINT));

        handle.Cancel();
        Assert.False(host.SendSignal(PosixSignal.SIGTERM));
        Assert.Throws<ArgumentOutOfRangeException>(() => host.SendSignal((PosixSignal)65));
    }

    [Fact, Case("SIG-008")]
    public void The_end_of_the_simulation_removes_handlers()
    {
        var simulation = new Simulation(seed: 3);
        var host = simulation.AddHost("host");
        var handle = host.Loop.AddSignalHandler(PosixSignal.SIGTERM, static () => { });
        simulation.Dispose();

        Assert.True(handle.IsCancelled);
        Assert.False(host.SendSignal(PosixSignal.SIGTERM));
    }
}
