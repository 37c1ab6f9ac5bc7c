namespace Sluice.Tests.Tls;

/// <summary>What the relay does to one byte of one direction.</summary>
/// <param name="Kind">What.</param>
/// <param name="FromClient">The direction: from the client to the server, or back.</param>
/// <param name="Position">Counts the bytes of that direction from zero.</param>
internal readonly record struct Tamper(TamperKind Kind, bool FromClient, int Position)
{
    /// <summary>The bit that a flip turns over: another one at each position.</summary>
    public byte Mask => (byte)(1 << (Position & 7));

    public override string ToString() => $"{Kind} of byte {Position} from the {(FromClient ? "client" : "server")}";
}

/// <summary>The ways to tamper.</summary>
internal enum TamperKind
{
    /// <summary>Nothing of the direction arrives from this byte on but an orderly end (FIN). The other direction goes on.</summary>
    Cut,

    /// <summary>One bit of the byte is turned over; all arrives.</summary>
    Flip,
}
