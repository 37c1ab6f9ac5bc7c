namespace Sluice.Testing.Checks.Files;

/// <summary>A real file with the pattern of <see cref="Payload"/>, removed at the end. Shared by the checks that send files.</summary>
internal sealed class TemporaryFile : IDisposable
{
    /// <summary>More than a connection holds whose peer does not read.</summary>
    public const int Large = 1024 * 1024;

    public TemporaryFile(int size)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName());
        File.WriteAllBytes(Path, Payload.Of(size));
        Stream = File.OpenRead(Path);
    }

    public string Path { get; }

    /// <summary>The file, open for reading.</summary>
    public FileStream Stream { get; }

    public void Dispose()
    {
        Stream.Dispose();
        File.Delete(Path);
    }
}
