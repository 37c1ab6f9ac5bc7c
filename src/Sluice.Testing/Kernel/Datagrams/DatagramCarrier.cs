using System.Net;
using Sluice.Primitives;
using Sluice.Testing.Kernel.Links;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>Carries datagrams between hosts, or loses, repeats and delays them; and the answers that say that nobody listens. Owned by the network.</summary>
/// <remarks>
/// What leaves one socket for one host arrives in its order, as over one way, unless the link or a rule holds some of it back. All chance is that of the sender's dice.
/// </remarks>
internal sealed class DatagramCarrier(SimulatedNetwork network)
{
    private static readonly TimeSpan LeastHoldBack = TimeSpan.FromMicroseconds(1);

    // What stalled links hold back, in the order in which it would have arrived.
    private readonly Queue<(Flight Flight, TimeSpan Left)> _held = new();

    /// <summary>A host's links are no longer stalled: what was held back arrives, unless the other host holds it still.</summary>
    public void ReleaseHeld()
    {
        for (var left = _held.Count; left > 0; left--)
        {
            var (flight, time) = _held.Dequeue();
            Arrive(flight, time);
        }
    }

    public void Send(SimulatedDatagramSocket sender, IPEndPoint to, byte[] payload)
    {
        var source = sender.Machine.Datagrams.SourceFor(sender, to, out _)!;
        if (DatagramAim.IsForMany(to.Address))
        {
            foreach (var machine in network.Machines)
            {
                if (DatagramAim.Reaches(sender, to.Address, machine)) Launch(new Flight(sender, source, machine, to, payload));
            }

            return;
        }

        if (network.Drops(to.Address)) return;
        if (network.Find(sender.Machine, PortTable.IsAny(to.Address) ? IPAddress.Loopback : to.Address) is { } target) Launch(new Flight(sender, source, target, to, payload));
        else network.Schedule(network.ArrivalTime(isUnix: false, sender.Dice), () => sender.TakeAnswer(IoError.HostUnreachable, to));
    }

    private void Launch(Flight flight)
    {
        var (sender, dice) = (flight.Sender, flight.Sender.Dice);
        var link = network.LinkBetween(sender.Machine, flight.Target);
        var left = LeaveTime(link, flight);
        var verdict = network.JudgeDatagram(link, flight.From, flight.To, flight.Payload.Length, dice, sender.Id);
        switch (verdict.Outcome)
        {
            case Verdict.Fate.Drop:
                return;
            case Verdict.Fate.Reset:
                Answer(flight, link.TravelTime(dice));
                return;
        }

        Travel(flight, link, left, verdict);
        if (dice.Chance(link.DatagramDuplication)) Travel(flight, link, left, verdict);
    }

    private void Travel(Flight flight, SimulatedLink link, TimeSpan left, Verdict verdict)
    {
        var dice = flight.Sender.Dice;
        var due = left + link.TravelTime(dice) + verdict.Delay;
        if (dice.Chance(link.DatagramReordering)) due += LeastHoldBack + dice.Part(2 * (link.Latency + link.Jitter));
        else if (verdict.Outcome != Verdict.Fate.Delay) due = flight.Sender.InOrder(flight.Target, due);
        network.Schedule(due, () => Arrive(flight, left));
    }

    /// <summary>It takes its time to leave where the link has a bandwidth; until then it fills the send buffer.</summary>
    private TimeSpan LeaveTime(SimulatedLink link, Flight flight)
    {
        var (sender, size) = (flight.Sender, flight.Payload.Length + SimulatedDatagramSocket.Overhead);
        var left = link.LeaveTime(sender.Machine, flight.Payload.Length);
        if (left == network.Clock.Now) return left;
        sender.Hold(size);
        network.Schedule(left, () => sender.LetLeave(size));
        return left;
    }

    private void Arrive(Flight flight, TimeSpan left)
    {
        if (flight.Sender.VanishedAt < left || flight.Target.IsDown) return;
        if (flight.Target.Faults.HoldsDatagrams || flight.Sender.Machine.Faults.HoldsDatagrams)
        {
            _held.Enqueue((flight, left));
            return;
        }

        var datagram = new SimulatedDatagram(flight.Payload, flight.Source);
        if (DatagramAim.IsForMany(flight.Destination.Address))
        {
            foreach (var receiver in flight.Target.Datagrams.FindAll(flight.Destination, flight.Source)) receiver.Take(datagram);
        }
        else if (flight.Target.Datagrams.Find(flight.Destination, flight.Source, flight.Sender.Dice) is { } receiver) receiver.Take(datagram);
        else Refuse(flight);
    }

    /// <summary>Nobody has the port: the receiver's host says so.</summary>
    private void Refuse(Flight flight)
    {
        var (sender, link) = (flight.Sender, network.LinkBetween(flight.Sender.Machine, flight.Target));
        var verdict = network.JudgeDatagram(link, flight.To, flight.From, size: 0, sender.Dice, sender.Id, PacketKind.Refusal);
        if (verdict.Outcome is Verdict.Fate.Drop or Verdict.Fate.Reset) return;
        Answer(flight, link.TravelTime(sender.Dice) + verdict.Delay);
    }

    private void Answer(Flight flight, TimeSpan travel) =>
        network.Schedule(network.Clock.Now + travel, () => flight.Sender.TakeAnswer(IoError.ConnectionRefused, flight.Destination));

    /// <summary>A datagram on its way.</summary>
    private sealed record Flight(SimulatedDatagramSocket Sender, IPEndPoint Source, SimulatedMachine Target, IPEndPoint Destination, byte[] Payload)
    {
        public Station From => new(Sender.Machine, Source);

        public Station To => new(Target, Destination);
    }
}
