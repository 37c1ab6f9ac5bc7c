namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>One mistake that a writer of transports makes. The suite has to find each.</summary>
public enum PipeFault
{
    None,
    DataWhilePaused,
    DataInsideWrite,
    DataAfterClose,
    EmptyData,
    EndBeforeLastData,
    EndTwice,
    EndAlwaysCloses,
    MadeTwice,
    LostTwice,
    LostInsideClose,
    NeverLost,
    BytesLostOnClose,
    BytesLostInExchange,
    BytesSwapped,
    NoPauseWriting,
    PauseWritingAtHigh,
    NeverResumes,
    ResumeWritingWhileClosing,
    AbortSendsTheRest,
    AbortSeenAsEnd,
    CallbackFailureIsSilent,
    CallbackFailureKeepsTheConnection,
    ProtocolForgottenTooEarly,
    CallersContext,
    NoLimit,
}
