using System.Net;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Tests.Doubles;

/// <summary>
/// A stream whose peer is the test. Writes each order from above down as a line, answers writes as scripted (else takes all), and
/// notes in <see cref="ScriptedBackend.Violations"/> what breaks a law of the seam. Starting or stopping to read where that changes
/// nothing leaves no line: both are idempotent.
/// </summary>
internal sealed class ScriptedChannel(ScriptedBackend backend, List<string> trace) : StreamChannel
{
    private readonly Queue<(int Taken, IoError Error)> _answers = new();
    private readonly List<byte> _sent = [];
    private IStreamSink? _sink;
    private WriteSlice _outstanding;
    private byte[]? _outstandingBytes;
    private bool _hasEnded;
    private bool _isShutDown;
    private bool _isRoomAwaited;
    private bool _isClosed;

    public bool IsReading { get; private set; }

    public bool HasWriteOutstanding => _outstandingBytes is not null;

    /// <summary>All bytes that the kernel has taken, as text.</summary>
    public string Sent => Encoding.Latin1.GetString([.. _sent]);

    public override nint Handle => _isClosed ? -1 : 7;

    public override EndPoint? LocalName { get; } = new IPEndPoint(IPAddress.Loopback, 1);

    public override EndPoint? PeerName { get; } = new IPEndPoint(IPAddress.Loopback, 2);

    public override TransportSocket? Socket => null;

    /// <summary>The next TryWrite takes no more than this. Repeatable; afterwards all is taken again.</summary>
    public void Accept(params int[] counts)
    {
        foreach (var count in counts) _answers.Enqueue((count, IoError.None));
    }

    public void RefuseWith(IoError error) => _answers.Enqueue((0, error));

    /// <summary>The next Poll delivers bytes: into the protocol's own memory where it asks for that and takes them now, else as a span.</summary>
    public void Receive(ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        Report(sink =>
        {
            while (bytes.Length > 0)
            {
                var target = AsksForTarget && IsReading ? sink.ReadTarget() : default;
                var taken = target.IsEmpty || !IsReading ? bytes.Length : Math.Min(bytes.Length, target.Length);
                if (target.IsEmpty || !IsReading) sink.OnRead(bytes);
                else bytes.AsSpan(0, taken).CopyTo(target.Span);
                if (!target.IsEmpty && IsReading) sink.OnReadInto(taken);
                bytes = bytes[taken..];
            }
        });
    }

    public void Receive(string data) => Receive(Encoding.Latin1.GetBytes(data));

    /// <summary>The next Poll delivers bytes as a completion does: as a span, whatever was asked for.</summary>
    public void ReceiveLate(string data) => Report(sink => sink.OnRead(Encoding.Latin1.GetBytes(data)));

    /// <summary>The next Poll asks for memory and finds nothing to put there.</summary>
    public void ReceiveNothing() => Report(sink => sink.ReadTarget());

    /// <summary>The next Poll reports the end: of the peer's stream, or of the connection.</summary>
    public void ReceiveEnd(IoError reason = default) => Report(sink =>
    {
        _hasEnded = true;
        IsReading = false;
        sink.OnReadEnd(reason);
    });

    /// <summary>The next Poll completes the outstanding write, with all its bytes unless told otherwise.</summary>
    public void CompleteWrite(int? count = null, IoError error = default) => Report(sink =>
    {
        var offered = _outstandingBytes ?? throw new InvalidOperationException("No write is outstanding.");
        backend.Require(Bytes(_outstanding).AsSpan().SequenceEqual(offered), "an outstanding write's bytes were touched");
        _outstandingBytes = null;
        if (error.IsNone) _sent.AddRange(offered.AsSpan(0, count ?? offered.Length));
        sink.OnWritten(error.IsNone ? count ?? offered.Length : 0, error);
    });

    public override void Attach(IStreamSink sink)
    {
        backend.Require(_sink is null, "attached twice");
        _sink = sink;
    }

    public override void StartReading()
    {
        SetReading(true, "StartReading");
        backend.Require(!_hasEnded, "StartReading after OnReadEnd");
    }

    public override void StopReading() => SetReading(false, "StopReading");

    public override int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        var offered = queue.Count + extra.Length;
        Order($"TryWrite({offered})");
        RequireWritable("TryWrite");
        backend.Require(offered > 0, "TryWrite of nothing");
        if (!_answers.TryDequeue(out var answer)) answer = (int.MaxValue, IoError.None);
        error = answer.Error;
        var taken = Math.Min(answer.Taken, offered);
        byte[] bytes = [.. Bytes(queue), .. extra];
        _sent.AddRange(bytes.AsSpan(0, taken));
        return taken;
    }

    public override void StartWrite(in WriteSlice queue)
    {
        Order($"StartWrite({queue.Count})");
        RequireWritable("StartWrite");
        backend.Require(!queue.IsEmpty, "StartWrite of nothing");
        _outstanding = queue;
        _outstandingBytes = Bytes(queue);
    }

    /// <summary>The next Poll reports room, if it is awaited.</summary>
    public void ReportRoom(IoError error = default) => Report(sink =>
    {
        if (!_isRoomAwaited) return;
        _isRoomAwaited = false;
        sink.OnRoom(error);
    });

    public override bool TrySendFile(SafeFileHandle file, long offset, long count, out long sent, out IoError error)
    {
        Order($"TrySendFile({offset}, {count})");
        RequireWritable("TrySendFile");
        if (!_answers.TryDequeue(out var answer)) answer = (int.MaxValue, IoError.None);
        error = answer.Error;
        var part = new byte[Math.Min(answer.Taken, count)];
        sent = error.IsNone ? RandomAccess.Read(file, part, offset) : 0;
        _sent.AddRange(part.AsSpan(0, (int)sent));
        return error.IsNone && (sent == count || (sent == 0 && part.Length > 0));
    }

    public override void AwaitRoom()
    {
        if (!_isRoomAwaited) Order("AwaitRoom");
        RequireWritable("AwaitRoom", mayAwaitRoom: true);
        _isRoomAwaited = true;
    }

    public override void StopAwaitingRoom()
    {
        RequireOpen("StopAwaitingRoom");
        if (_isRoomAwaited) trace.Add("StopAwaitingRoom");
        _isRoomAwaited = false;
    }

    public override void ShutdownWrite()
    {
        Order("ShutdownWrite");
        RequireWritable("ShutdownWrite");
        _isShutDown = true;
    }

    public override void Close(bool reset)
    {
        Order(reset ? "Close(reset)" : "Close");
        _isClosed = true;
        IsReading = false;
        backend.Script(() =>
        {
            _outstandingBytes = null;
            _sink!.OnClosed();
        });
    }

    private void SetReading(bool on, string order)
    {
        RequireOpen(order);
        if (IsReading != on) trace.Add(order);
        IsReading = on;
    }

    private void Order(string order)
    {
        RequireOpen(order);
        trace.Add(order);
    }

    private void RequireOpen(string order)
    {
        backend.Require(_sink is not null, $"{order} before Attach");
        backend.Require(!_isClosed, $"{order} after Close");
    }

    private void RequireWritable(string order, bool mayAwaitRoom = false)
    {
        backend.Require(mayAwaitRoom || !_isRoomAwaited, $"{order} while room is awaited");
        backend.Require(_outstandingBytes is null, $"{order} while a write is outstanding");
        backend.Require(!_isShutDown, $"{order} after ShutdownWrite");
    }

    private void Report(Action<IStreamSink> report) => backend.Script(() =>
    {
        if (!_isClosed) report(_sink!);
    });

    private static byte[] Bytes(WriteSlice slice)
    {
        var bytes = new List<byte>(slice.Count);
        foreach (var part in slice) bytes.AddRange(part);
        return [.. bytes];
    }
}
