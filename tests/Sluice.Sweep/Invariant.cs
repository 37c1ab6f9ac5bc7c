namespace Sluice.Sweep;

/// <summary>What must hold in every world; the names are those of docs/testing.md.</summary>
internal enum Invariant
{
    /// <summary>Nothing is wrong with the library's dealings with the kernel, and nothing unforeseen is thrown or reported.</summary>
    Seam = 0,

    /// <summary>Made once, before all; lost once, after all, for a reason that there was.</summary>
    Lifecycle = 1,

    /// <summary>Nothing after lost, nothing inside another callback but PauseWriting and ResumeWriting.</summary>
    Reentrancy = 2,

    /// <summary>Bytes delivered are a prefix of the bytes accepted, and all of them on a clean close.</summary>
    Bytes = 3,

    /// <summary>The end of the stream comes after all data.</summary>
    End = 4,

    /// <summary>Above the high watermark the protocol has been told to pause; above the limit the connection ends.</summary>
    Bounds = 5,

    /// <summary>Pauses and resumes alternate, none is missing, none comes while closing.</summary>
    Flow = 6,

    /// <summary>No data while reading is paused.</summary>
    Paused = 7,

    /// <summary>Accepted = sent + buffered + dropped by an abort or a loss.</summary>
    Accounting = 8,

    /// <summary>Open sockets = live transports + lingering ones + backlogs; one owner each.</summary>
    Descriptors = 9,

    /// <summary>Everything awaited completes in bounded time after the faults end.</summary>
    Liveness = 10,

    /// <summary>A TLS connection carries TLS records alone, and tells nothing before its handshake or without the peer's word.</summary>
    Secrecy = 11,

    /// <summary>An idle world does nothing.</summary>
    Idle = 12,

    /// <summary>No event reaches a new owner.</summary>
    Stale = 13,

    /// <summary>The memory of an outstanding write is left alone.</summary>
    Memory = 14,

    /// <summary>A datagram is what its sender has sent to its receiver: never merged, split, changed or misattributed.</summary>
    Datagrams = 15,

    /// <summary>One connection's failure changes no other connection's trace.</summary>
    Isolation = 16,

    /// <summary>Data handed out is never empty.</summary>
    Empty = 17,
}
