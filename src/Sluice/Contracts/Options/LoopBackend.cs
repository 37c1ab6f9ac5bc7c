namespace Sluice;

/// <summary>Which kernel interface carries a loop's I/O.</summary>
public enum LoopBackend
{
    /// <summary>The best for this system: epoll on Linux.</summary>
    Auto,

    /// <summary>Linux epoll.</summary>
    Epoll,
}
