using System.Net;
using System.Text;
using Sluice.Transports;

namespace Sluice.Tests.Doubles;

/// <summary>One datagram transport between a traced protocol and a scripted channel.</summary>
internal sealed class DatagramRig : LoopRig
{
    public static readonly IPEndPoint Peer = new(IPAddress.Loopback, 2);

    private DatagramRig(DatagramOptions? datagramOptions, bool isConnected, EventLoopOptions? options)
        : base(options)
    {
        Channel = new ScriptedDatagramChannel(Backend, Trace, isConnected ? Peer : null);
        Protocol = new TracedDatagrams(Trace);
        Transport = new DatagramTransport(Loop, Channel, Protocol, new DatagramOrigin(Endpoints, datagramOptions ?? new DatagramOptions(), null, null, null));
    }

    public HashSet<DatagramTransport> Endpoints { get; } = [];

    public ScriptedDatagramChannel Channel { get; }

    public TracedDatagrams Protocol { get; }

    public DatagramTransport Transport { get; }

    /// <summary>An endpoint that has told ConnectionMade and reads; its trace begins after that.</summary>
    public static DatagramRig Started(DatagramOptions? datagramOptions = null, bool isConnected = true, EventLoopOptions? options = null)
    {
        var rig = new DatagramRig(datagramOptions, isConnected, options);
        rig.Pass(2);
        rig.Trace.Clear();
        return rig;
    }

    /// <summary>One that has told nothing yet.</summary>
    public static DatagramRig Opening() => new(null, true, null);

    /// <summary>Sends one datagram for each text, as one step.</summary>
    public void Send(params string[] datagrams) => Step(() =>
    {
        foreach (var datagram in datagrams) SendNow(datagram);
    });

    public void SendNow(string datagram) => Transport.SendTo(Encoding.Latin1.GetBytes(datagram));

    /// <summary>Writes each callback as a line, and does what a test says inside.</summary>
    internal sealed class TracedDatagrams(List<string> trace) : DatagramProtocol
    {
        public Action? InDatagram { get; set; }

        public Action? InError { get; set; }

        public Action? InPause { get; set; }

        public Action? InResume { get; set; }

        public Action? InLost { get; set; }

        public override void ConnectionMade(IDatagramTransport transport) => trace.Add("ConnectionMade");

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address) => Note($"Datagram({Encoding.Latin1.GetString(data)})", InDatagram);

        public override void ErrorReceived(Exception exception) =>
            Note(exception is System.Net.Sockets.SocketException socket ? $"Error({socket.SocketErrorCode})" : $"Error({exception.GetType().Name})", InError);

        public override void PauseWriting() => Note("Pause", InPause);

        public override void ResumeWriting() => Note("Resume", InResume);

        public override void ConnectionLost(Exception? exception) => Note($"Lost({exception?.GetType().Name ?? "null"})", InLost);

        private void Note(string what, Action? act)
        {
            trace.Add(what);
            act?.Invoke();
        }
    }
}
