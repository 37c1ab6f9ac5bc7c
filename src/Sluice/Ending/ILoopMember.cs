using Sluice.Transports;

namespace Sluice.Ending;

/// <summary>Something that lives on a loop and must not outlast it: a server, a connect or an invocation under way, a watch.</summary>
internal interface ILoopMember
{
    /// <summary>When the loop's end comes to it.</summary>
    EndStage Stage => EndStage.Last;

    /// <summary>Its own transports, where it has some.</summary>
    IEnumerable<ILoopTransport> Transports => [];

    /// <summary>The loop begins to end, and its stage has come. On the loop's thread.</summary>
    void BeginEndWithLoop() => EndWithLoop();

    /// <summary>The loop ends. On its thread; perhaps more than once.</summary>
    void EndWithLoop();
}

/// <summary>The order in which a loop's members hear that it ends.</summary>
internal enum EndStage
{
    /// <summary>Handlers of signals, so that a signal has its default effect again while the rest ends.</summary>
    Signals,

    /// <summary>Watches over descriptors.</summary>
    Watches,

    /// <summary>Servers.</summary>
    Servers,

    /// <summary>All others, once connections that were closing have had their time.</summary>
    Last,
}
