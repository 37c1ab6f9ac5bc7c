namespace Sluice.Loop;

/// <summary>Something that takes turns on the loop without an allocation per turn: transports, handles, servers.</summary>
internal interface ILoopWork
{
    /// <summary>One turn, an item of a pass. It must not throw: what user code throws goes to <see cref="Reports.CallbackErrors"/>.</summary>
    /// <param name="code">Which kind of turn: what was given to <see cref="LoopCore.Enqueue"/>.</param>
    void Run(int code);

    /// <summary>The loop has ended before the turn came. On the thread that ended it.</summary>
    void Abandon()
    {
    }
}
