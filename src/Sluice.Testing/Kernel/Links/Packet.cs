namespace Sluice.Testing.Kernel.Links;

/// <summary>What one direction of a connection carries. Owned by its wire.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Size">The bytes of the stream in it.</param>
/// <param name="Left">When the sender has given the last byte away.</param>
/// <param name="Due">When it arrives; never, where it is lost and has to be sent again.</param>
internal readonly record struct Packet(PacketKind Kind, int Size, TimeSpan Left, TimeSpan Due)
{
    public bool IsLost => Due == TimeSpan.MaxValue;

    /// <summary>One that is not on its way.</summary>
    public static Packet Lost(PacketKind kind, int size) => new(kind, size, TimeSpan.MaxValue, TimeSpan.MaxValue);
}
