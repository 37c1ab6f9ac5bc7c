namespace RedisClient;

/// <summary>What a connection knows of a command.</summary>
internal interface ICommand
{
    byte[] Request { get; }

    /// <summary>On the loop's clock.</summary>
    TimeSpan Deadline { get; }

    /// <summary>Answered, failed or cancelled. Its place in the queue stays: the reply may still come, and must not be taken for another's.</summary>
    bool IsDone { get; }

    void Complete(in Reply reply);

    void Fail(Exception exception);
}

/// <summary>A command and the task that its caller awaits: one object.</summary>
/// <remarks>
/// Completed on the loop's thread, and its caller goes on elsewhere: on the thread pool, or as a turn of the loop where the caller was there. Without
/// RunContinuationsAsynchronously the caller's code would run inside DataReceived, between two replies, and on the loop's thread whatever it does.
/// </remarks>
internal sealed class Command<T>(byte[] request, TimeSpan deadline, Func<Reply, T> convert)
    : TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously), ICommand
{
    private CancellationTokenRegistration _registration;

    public byte[] Request => request;

    public TimeSpan Deadline => deadline;

    public bool IsDone => Task.IsCompleted;

    /// <summary>Called before anybody else knows of the command.</summary>
    public void CancelWith(CancellationToken token)
    {
        if (token.CanBeCanceled) _registration = token.UnsafeRegister(static (self, token) => ((Command<T>)self!).TrySetCanceled(token), this);
    }

    public void Complete(in Reply reply)
    {
        _registration.Unregister();
        if (reply.Kind == ReplyKind.Error)
        {
            TrySetException(new RedisServerException(reply.ToString()));
            return;
        }

        try
        {
            TrySetResult(convert(reply));
        }
        catch (InvalidCastException exception)
        {
            TrySetException(new RedisProtocolException(exception.Message));
        }
    }

    public void Fail(Exception exception)
    {
        _registration.Unregister();
        TrySetException(exception);
    }
}
