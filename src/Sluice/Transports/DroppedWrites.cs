using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>Counts the writes to a lost connection, and says so once when there are many. A struct inside its transport.</summary>
internal struct DroppedWrites
{
    private const int Unremarked = 4;

    private int _count;

    public void Count(CallbackErrors errors)
    {
        if (++_count == Unremarked + 1) errors.LogDroppedWrite();
    }
}
