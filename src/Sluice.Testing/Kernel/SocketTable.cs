using System.Globalization;
using System.Net;
using Sluice.Testing.Kernel.Datagrams;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel;

/// <summary>The sockets of a network as a table that people read.</summary>
internal static class SocketTable
{
    private static readonly string[] Head = ["Host", "Proto", "Local", "Peer", "State", "Recv-Q", "Send-Q"];

    public static string Describe(SimulatedNetwork network)
    {
        var rows = new List<string[]> { Head };
        foreach (var machine in network.Machines)
        {
            foreach (var listener in machine.Ports.Bound) rows.Add(RowOf(machine, listener));
            foreach (var backend in machine.Backends)
            {
                foreach (var connect in backend.Sources.OfType<SimulatedConnect>())
                {
                    if (connect.Held is null) rows.Add([machine.Name, Protocol(connect.Remote is not IPEndPoint), Name(connect.Local), Name(connect.Remote), "SYN-SENT", "0", "0"]);
                }
            }

            foreach (var socket in network.OpenSockets)
            {
                if (socket.Machine == machine) rows.Add(RowOf(machine, socket));
            }

            foreach (var socket in network.OpenDatagrams)
            {
                if (socket.Machine == machine) rows.Add(RowOf(machine, socket));
            }
        }

        var widths = Head.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        return string.Join(Environment.NewLine, rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }

    private static string[] RowOf(SimulatedMachine machine, SimulatedListener listener) =>
    [
        machine.Name, Protocol(listener.LocalName is not IPEndPoint), Name(listener.LocalName), "*", listener.IsListening ? "LISTEN" : "BOUND",
        Number(listener.Backlog.Count), Number(listener.Size),
    ];

    private static string[] RowOf(SimulatedMachine machine, SimulatedSocket socket) =>
    [
        machine.Name, Protocol(socket.IsUnix), Name(socket.LocalName), Name(socket.PeerName), StateOf(socket),
        Number(socket.Incoming.Unread), Number(socket.Outgoing.Travelling),
    ];

    private static string[] RowOf(SimulatedMachine machine, SimulatedDatagramSocket socket) =>
    [
        machine.Name, socket.IsUnix ? "u_dgr" : "udp", Name(socket.LocalName), socket.IsConnected ? Name(socket.PeerName) : "*",
        socket.IsConnected ? "ESTAB" : "UNCONN", Number(socket.Unread), Number(socket.Unsent),
    ];

    private static string StateOf(SimulatedSocket socket) => (socket.IsBroken, socket.FinSent, socket.Incoming.FinArrived) switch
    {
        (true, _, _) => "CLOSE",
        (_, true, true) => "CLOSING",
        (_, true, false) => "FIN-WAIT",
        (_, false, true) => "CLOSE-WAIT",
        _ => "ESTAB",
    };

    private static string Protocol(bool isUnix) => isUnix ? "unix" : "tcp";

    private static string Name(EndPoint? name) => name?.ToString() is { Length: > 0 } text ? text : "-";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
