using Sluice.Backends;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Keeps how a question about names was answered.</summary>
internal sealed class RecordingLookupSink<TAnswer> : ILookupSink<TAnswer>
    where TAnswer : class
{
    public TAnswer? Answer { get; private set; }

    public Exception? Failure { get; private set; }

    public bool IsDone => Answer is not null || Failure is not null;

    public void OnFound(TAnswer answer) => Answer = answer;

    public void OnNotFound(Exception reason) => Failure = reason;
}
