namespace Sluice.Backends;

/// <summary>Which end of a pipe.</summary>
internal enum PipeEnd
{
    Read,
    Write,
}
