using System.Buffers;
using System.Net.Sockets;

namespace Sluice.ConformanceTests.OwnTransports;

/// <content>The sending half: buffer, watermarks, the end, and memory that is lent.</content>
internal sealed partial class PipeTransport
{
    private byte[]? _lent;

    public int WriteBufferSize => _outgoing.Count;

    public (int Low, int High) WriteBufferLimits => _limits;

    public void SetWriteBufferLimits(int? high = null, int? low = null)
    {
        VerifyThread();
        if (low is < 0) throw new ArgumentOutOfRangeException(nameof(low));
        var newHigh = high ?? (low is { } given ? 4L * given : DefaultHigh);
        var newLow = low ?? newHigh / 4;
        if (newHigh < newLow || newHigh > int.MaxValue) throw new ArgumentOutOfRangeException(nameof(high));
        _limits = ((int)newLow, (int)newHigh);
        PauseAboveHigh();
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        VerifyMayWrite();
        if (_isLost || data.IsEmpty) return;
        var sendsNow = _outgoing.Count == 0;
        _outgoing.Append(data);
        if (_fault == PipeFault.BytesSwapped && data.Length == 37) _outgoing.PutBack(_outgoing.Take(2).Reverse().ToArray());
        if (sendsNow) Send();
        if (_outgoing.Count > _mostWaiting) EndBadly(new WriteBufferLimitException(_mostWaiting));
        else PauseAboveHigh();
    }

    public void Write(in ReadOnlySequence<byte> data)
    {
        VerifyMayWrite();
        foreach (var segment in data) Write(segment.Span);
    }

    public void WriteLines(IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        VerifyMayWrite();
        foreach (var part in parts) Write(part.Span);
    }

    public void WriteEof()
    {
        VerifyThread();
        if (_isClosing || _isEnding) return;
        _isEnding = true;
        if (_outgoing.Count == 0) EndSending();
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        VerifyMayWrite();
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        var lent = _lent = new byte[Math.Max(sizeHint, 4096)];
        Later(() =>
        {
            if (ReferenceEquals(lent, _lent)) _lent = null;
        });
        return lent;
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count)
    {
        VerifyThread();
        var lent = _lent ?? throw new InvalidOperationException("Nothing is lent.");
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, lent.Length);
        Write(lent.AsSpan(0, count));
        _lent = null;
    }

    private void VerifyMayWrite()
    {
        VerifyThread();
        _lent = null;
        if (_isEnding && !_isClosing) throw new InvalidOperationException("WriteEof was called.");
    }

    private void PauseAboveHigh()
    {
        var isAbove = _outgoing.Count > _limits.High || (_fault == PipeFault.PauseWritingAtHigh && _outgoing.Count > 0 && _outgoing.Count == _limits.High);
        if (!isAbove || _isWritingPaused || _isLost || _fault == PipeFault.NoPauseWriting) return;
        _isWritingPaused = true;
        Call("protocol.PauseWriting() failed", Protocol!.PauseWriting);
    }

    /// <summary>Hands on what the other end has room for; where it made room, in a turn of its own.</summary>
    private void Send()
    {
        if (_isLost || _hasEnded) return;
        if (_outgoing.Count > 0 && !TrySend()) return;
        var mayResume = !_isClosing || _fault == PipeFault.ResumeWritingWhileClosing;
        if (_isWritingPaused && mayResume && _outgoing.Count <= _limits.Low && _fault != PipeFault.NeverResumes)
        {
            _isWritingPaused = false;
            Call("protocol.ResumeWriting() failed", Protocol!.ResumeWriting);
        }

        if (_outgoing.Count > 0 || _isLost) return;
        if (_isClosing && _reason is null) Lose(null);
        else if (_isEnding && !_hasEnded) EndSending();
    }

    private bool TrySend()
    {
        if (_peerFailure is not null || (_peer._isLost && _endWasSeen))
        {
            Lose(_peerFailure ?? new SocketException((int)SocketError.ConnectionReset));
            return false;
        }

        Arrive(_outgoing.Take(_peer._isClosing ? int.MaxValue : Math.Max(0, Room - _peer._incoming.Count)));
        return true;
    }

    private void Arrive(ReadOnlySpan<byte> data) => _peer.Accept(data);

    private void EndSending()
    {
        _hasEnded = _peer._peerHasEnded = true;
        _peer.Later(_peer.Receive);
    }
}
