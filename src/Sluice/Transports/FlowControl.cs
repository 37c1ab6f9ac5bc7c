namespace Sluice.Transports;

/// <summary>
/// The two watermarks of a write buffer and whether its protocol has been told to pause. Decides only; the transport calls. A struct
/// inside its transport.
/// </summary>
internal struct FlowControl
{
    public const int DefaultHigh = 64 * 1024;

    private readonly int _defaultHigh;
    private bool _isPaused;

    public FlowControl() : this(DefaultHigh)
    {
    }

    public FlowControl(int defaultHigh)
    {
        _defaultHigh = defaultHigh;
        High = defaultHigh;
        Low = defaultHigh / 4;
    }

    public int Low { get; private set; }

    public int High { get; private set; }

    /// <summary>asyncio's formulae: low is a quarter of high, high is four times low, neither is the default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not high >= low >= 0. Nothing changes.</exception>
    public void SetLimits(int? high, int? low)
    {
        if (low is < 0) throw new ArgumentOutOfRangeException(nameof(low), low, "The low watermark must not be negative.");
        var newHigh = high ?? (low is { } given ? 4L * given : _defaultHigh);
        var newLow = low ?? newHigh / 4;
        if (newHigh < newLow || newHigh > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(high), newHigh, $"The high watermark must not be below the low one ({newLow}), negative, or above {int.MaxValue}.");
        }

        High = (int)newHigh;
        Low = (int)newLow;
    }

    /// <summary>The protocol has been told to pause, and not yet to resume.</summary>
    public readonly bool IsPaused => _isPaused;

    /// <summary>The protocol was told to pause by the transport that this one carries on.</summary>
    public void InheritPause() => _isPaused = true;

    /// <summary>True once when the buffer has grown above high.</summary>
    public bool TryPause(int size)
    {
        if (_isPaused || size <= High) return false;
        return _isPaused = true;
    }

    /// <summary>True once when a paused buffer has drained to low.</summary>
    public bool TryResume(int size)
    {
        if (!_isPaused || size > Low) return false;
        _isPaused = false;
        return true;
    }
}
