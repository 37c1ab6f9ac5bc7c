namespace Sluice.Backends;

/// <summary>The watch over a descriptor of the user's. Owned by the loop; used on the loop's thread.</summary>
internal abstract class WatchChannel
{
    /// <summary>Says which directions to report. Level-triggered: reported once per Poll for as long as it holds.</summary>
    public abstract void SetInterest(bool readable, bool writable);

    /// <summary>Ends the watch; the descriptor is not touched. Idempotent, and harmless where the descriptor is closed already.</summary>
    public abstract void Close();
}
