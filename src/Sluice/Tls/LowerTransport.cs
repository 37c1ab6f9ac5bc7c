using Sluice.Transports;

namespace Sluice.Tls;

/// <summary>
/// The transport below, as TLS uses it. One of the library's own refuses its users once it is below (they hold it after an upgrade), so it is called through other
/// members. A struct inside its channel.
/// </summary>
internal readonly struct LowerTransport(ITransport transport)
{
    private readonly StreamTransport? _own = transport as StreamTransport;

    public ITransport Transport => transport;

    public bool IsClosing => _own?.State.IsClosing ?? transport.IsClosing;

    public void Write(ReadOnlySpan<byte> data)
    {
        if (_own is not null) _own.Sending.Write(data);
        else transport.Write(data);
    }

    public void PauseReading()
    {
        if (_own is not null) _own.Receiving.Pause();
        else transport.PauseReading();
    }

    public void ResumeReading()
    {
        if (_own is not null) _own.Receiving.Resume();
        else transport.ResumeReading();
    }

    public void Close()
    {
        if (_own is not null) _own.CloseFromAbove();
        else transport.Close();
    }

    public void Abort()
    {
        if (_own is not null) _own.AbortFromAbove();
        else transport.Abort();
    }
}
