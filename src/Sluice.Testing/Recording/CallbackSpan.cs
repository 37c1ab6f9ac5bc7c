namespace Sluice.Testing;

/// <summary>The span of one callback, during which no ConnectionLost may come. Owned by the callback.</summary>
internal readonly ref struct CallbackSpan
{
    private readonly ProtocolRecord _record;

    public CallbackSpan(ProtocolRecord record)
    {
        _record = record;
        record.Enter();
    }

    public void Dispose() => _record.Leave();
}
