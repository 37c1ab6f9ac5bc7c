namespace Sluice.Testing;

/// <summary>What a recording protocol does with bytes of a child that it has just recorded.</summary>
/// <param name="fd">The descriptor in the child.</param>
/// <param name="data">The bytes, good until the hook returns.</param>
public delegate void PipeDataHook(int fd, ReadOnlySpan<byte> data);
