namespace Sluice.Sweep;

/// <summary>The kinds of protocols that fit a duplex transport.</summary>
internal enum ProtocolKind
{
    Plain,
    Buffered,
    Reading,
}
