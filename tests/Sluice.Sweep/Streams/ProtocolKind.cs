namespace Sluice.Sweep.Streams;

/// <summary>The kinds of protocols that fit a duplex transport.</summary>
internal enum ProtocolKind
{
    Plain,
    Buffered,
    Reading,
}
