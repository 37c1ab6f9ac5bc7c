namespace Sluice.Testing.Kernel;

/// <summary>What the trace of a simulation knows.</summary>
internal enum KernelEvent : byte
{
    Pass,
    ClockJump,
    Connect,
    Packet,
    Delivery,
    Accept,
    Read,
    Write,
    Close,
    ConnectionReset,
    ConnectionTimedOut,
    Retransmission,
    Crash,
    Boot,
    DatagramDropped,
    ProcessStart,
    ProcessEnd,
    Signal,
}
