using System.Net;
using System.Net.Sockets;
using System.Text;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Tests.Doubles;

/// <summary>
/// A datagram socket whose kernel is the test: answers each datagram as scripted (else takes it), keeps what it took, and notes in <see cref="ScriptedBackend.Violations"/> what breaks a law of
/// the seam.
/// </summary>
internal sealed class ScriptedDatagramChannel(ScriptedBackend backend, List<string> trace, EndPoint? peer) : DatagramChannel
{
    private readonly Queue<IoError> _answers = new();
    private IDatagramSink? _sink;
    private bool _isClosed;

    /// <summary>The datagrams that the kernel took, as "text" or "text>port".</summary>
    public List<string> Sent { get; } = [];

    public bool IsReading { get; private set; }

    public bool AwaitsRoom { get; private set; }

    public override nint Handle => _isClosed ? -1 : 7;

    public override AddressFamily Family => AddressFamily.InterNetwork;

    public override EndPoint? LocalName { get; } = new IPEndPoint(IPAddress.Loopback, 1);

    public override EndPoint? PeerName => peer;

    public override bool IsConnected => peer is not null;

    public override TransportSocket? Socket => null;

    /// <summary>The answers to the next datagrams, one each: none takes it, would-block stops there.</summary>
    public void Answer(params IoError[] answers)
    {
        foreach (var answer in answers) _answers.Enqueue(answer);
    }

    public void Receive(params string[] datagrams) => Report(sink =>
    {
        foreach (var datagram in datagrams) sink.OnDatagram(Encoding.Latin1.GetBytes(datagram), peer ?? new IPEndPoint(IPAddress.Loopback, 2));
        sink.OnBatchEnd();
    });

    public void Fail(IoError reason) => Report(sink =>
    {
        sink.OnReceiveFailed(reason);
        sink.OnBatchEnd();
    });

    public void Truncate() => Report(sink =>
    {
        sink.OnTruncated();
        sink.OnBatchEnd();
    });

    public void MakeRoom() => Report(sink =>
    {
        backend.Require(AwaitsRoom, "room that nobody waits for");
        AwaitsRoom = false;
        sink.OnRoom();
    });

    public override void Attach(IDatagramSink sink)
    {
        backend.Require(_sink is null, "attached twice");
        _sink = sink;
    }

    public override void StartReading()
    {
        backend.Require(!_isClosed, "StartReading after Close");
        IsReading = true;
    }

    public override int TrySend(in DatagramQueue queue, out IoError error)
    {
        backend.Require(!_isClosed, "TrySend after Close");
        backend.Require(queue.Count > 0, "TrySend of nothing");
        trace.Add($"TrySend({queue.Count})");
        for (var i = 0; i < queue.Count; i++)
        {
            error = _answers.TryDequeue(out var answer) ? answer : IoError.None;
            if (!error.IsNone)
            {
                if (error == IoError.WouldBlock) error = IoError.None;
                return i;
            }

            var address = queue.AddressAt(i);
            Sent.Add(Encoding.Latin1.GetString(queue.PayloadAt(i)) + (address.IsNone ? "" : $">{address.Port}"));
        }

        error = IoError.None;
        return queue.Count;
    }

    public override void AwaitRoom()
    {
        backend.Require(!_isClosed && !AwaitsRoom, "AwaitRoom twice, or after Close");
        AwaitsRoom = true;
    }

    public override IoError SetMembership(bool join, IPAddress group, int interfaceIndex, IPAddress? source) => IoError.NoProtocolOption;

    public override void Close()
    {
        backend.Require(!_isClosed, "closed twice");
        _isClosed = true;
        trace.Add("Close");
        backend.Script(() => _sink!.OnClosed());
    }

    private void Report(Action<IDatagramSink> report) => backend.Script(() => report(_sink!));
}
