using System.Diagnostics.CodeAnalysis;
using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Names;

/// <summary>
/// A question to the user's resolver: asked on the loop's thread, answered on any, reported in a turn of its own. Owned by who asks; an
/// answer that comes after the cancellation or the loop's end is dropped.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A token source without a timer holds nothing to dispose of, and its token may be in use for ever.")]
internal sealed class ResolverCall<TAnswer> : IoOperation, ILoopWork
{
    private const int Answered = 0;
    private const int GivenUp = 1;

    private readonly LoopCore _core;
    private readonly Func<CancellationToken, Task<TAnswer>> _ask;
    private readonly CancellationTokenSource _giveUp = new();
    private ILookupSink<TAnswer>? _sink;
    private TAnswer? _answer;
    private Exception? _failure;

    private ResolverCall(LoopCore core, Func<CancellationToken, Task<TAnswer>> ask, ILookupSink<TAnswer> sink)
    {
        _core = core;
        _ask = ask;
        _sink = sink;
    }

    public static ResolverCall<TAnswer> Start(
        LoopCore core, Func<CancellationToken, Task<TAnswer>> ask, ExecutionContext? context, ILookupSink<TAnswer> sink)
    {
        var call = new ResolverCall<TAnswer>(core, ask, sink);
        CallbackContext.Run(context, static self => _ = ((ResolverCall<TAnswer>)self!).AskAsync(), call);
        return call;
    }

    /// <summary>Gives up. The resolver's token is cancelled in a turn of its own: what listens to it is user code.</summary>
    public override void Cancel()
    {
        if (_sink is null) return;
        _sink = null;
        _core.Enqueue(this, GivenUp);
    }

    public void Run(int code)
    {
        if (code == GivenUp) CancelToken();
        else Report();
    }

    private async Task AskAsync()
    {
        try
        {
            _answer = await _ask(_giveUp.Token);
        }
        catch (Exception exception)
        {
            _failure = exception;
        }

        _core.TryPost(this, Answered);
    }

    private void Report()
    {
        if (_sink is not { } sink) return;
        _sink = null;
        if (_failure is null) sink.OnFound(_answer!);
        else sink.OnNotFound(_failure);
    }

    private void CancelToken()
    {
        try
        {
            _giveUp.Cancel();
        }
        catch (Exception exception)
        {
            _core.Errors.Report(new ExceptionContext("Exception in a resolver's cancellation") { Exception = exception });
        }
    }
}
