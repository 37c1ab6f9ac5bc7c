namespace Sluice.KernelTests.Transports.Kit;

/// <summary>The serving end of a short connection: its first byte says what becomes of it.</summary>
internal sealed class ChurnServed : Protocol
{
    public const byte Echo = (byte)'e';
    public const byte Close = (byte)'c';
    public const byte Abort = (byte)'a';
    public const byte HalfClose = (byte)'h';

    private ITransport _transport = null!;
    private bool _answersAtTheEnd;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        switch (data[0])
        {
            case Abort:
                _transport.Abort();
                break;
            case HalfClose:
                _answersAtTheEnd = true;
                break;
            default:
                _transport.Write(data);
                if (data[0] == Close) _transport.Close();
                break;
        }
    }

    public override bool EofReceived()
    {
        if (_answersAtTheEnd) _transport.Write([HalfClose]);
        if (_answersAtTheEnd) _transport.Close();
        return _answersAtTheEnd;
    }
}
