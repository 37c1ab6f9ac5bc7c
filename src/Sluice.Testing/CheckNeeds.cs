namespace Sluice.Testing;

/// <summary>What a check asks of the stage that it runs on.</summary>
[Flags]
public enum CheckNeeds
{
    /// <summary>Any stage will do.</summary>
    None = 0,

    /// <summary>A TCP connection.</summary>
    Tcp = 1,

    /// <summary>A Unix socket.</summary>
    Unix = 2,

    /// <summary>A kernel that can be told to fail.</summary>
    Faults = 4,

    /// <summary>A clock that jumps over waits.</summary>
    VirtualTime = 8,
}
