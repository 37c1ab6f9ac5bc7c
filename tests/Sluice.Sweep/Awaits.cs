namespace Sluice.Sweep;

/// <summary>What has been awaited in a world, and must be done in its end. Owned by the world's turmoil.</summary>
internal sealed class Awaits
{
    private readonly List<(string What, EventLoop Loop, Task Task)> _awaits = [];

    public void Add(string what, EventLoop loop, Task task) => _awaits.Add((what, loop, task));

    /// <summary>A loop's host has crashed: nothing of it ever completes.</summary>
    public void Forget(EventLoop loop) => _awaits.RemoveAll(entry => entry.Loop == loop);

    /// <summary>The first that is not done, or null.</summary>
    public string? Open()
    {
        foreach (var (what, _, task) in _awaits)
        {
            if (!task.IsCompleted) return what;
        }

        return null;
    }
}
