namespace Sluice.Testing;

/// <summary>The rules of the contract between a transport and its protocol, as far as one protocol can see them.</summary>
internal enum ContractRule
{
    /// <summary>Made once and first, lost once and last.</summary>
    Lifecycle,

    /// <summary>Nothing after ConnectionLost, and nothing inside another callback but PauseWriting and ResumeWriting.</summary>
    Reentrancy,

    /// <summary>The end of the stream comes once, behind all data.</summary>
    End,

    /// <summary>Pauses and resumes of writing alternate, and nobody resumes a transport that closes.</summary>
    Flow,

    /// <summary>Nothing is delivered while reading is paused or the transport closes.</summary>
    Paused,

    /// <summary>Data is never empty.</summary>
    Empty,
}
