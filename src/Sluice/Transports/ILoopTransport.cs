namespace Sluice.Transports;

/// <summary>A transport of whatever kind, as its loop's end sees it.</summary>
internal interface ILoopTransport
{
    /// <summary>The descriptor, or -1 where there is none any more.</summary>
    nint Handle { get; }

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    void EndWithLoop();

    void Abort();
}
