namespace Sluice.Testing;

/// <summary>What a recording protocol does with bytes that it has just recorded.</summary>
/// <param name="data">The bytes, good until the hook returns.</param>
public delegate void DataHook(ReadOnlySpan<byte> data);
