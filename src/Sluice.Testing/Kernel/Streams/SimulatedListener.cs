using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>A bound socket of a simulated host, with its backlog once it listens. Held by a handle, a listen channel, or both; the last to let go closes it.</summary>
internal sealed class SimulatedListener
{
    private readonly SimulatedBackend _host;
    private readonly string? _path;
    private int _holders = 1;

    /// <summary>Binds; a Unix socket that a dead server left at the path is replaced.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public SimulatedListener(SimulatedBackend host, EndPoint local, bool isShared = false)
    {
        _host = host;
        IsShared = isShared;
        _path = SimulatedFiles.PathOf(local);
        LocalName = host.Ports.Bind(local, isShared);
        if (_path is not null) File = host.Files.Create(_path, isSocket: true);
        host.Ports.Add(this);
    }

    public EndPoint LocalName { get; }

    /// <summary>Others may bind the same port, where they share it too.</summary>
    public bool IsShared { get; }

    /// <summary>The file of a Unix socket that is bound to a path.</summary>
    public SimulatedFile? File { get; }

    public bool IsListening { get; private set; }

    public Queue<SimulatedSocket> Backlog { get; } = new();

    /// <summary>SO_LINGER, in seconds, which its connections inherit.</summary>
    public int? Linger { get; set; }

    /// <summary>SO_RCVLOWAT, which its connections inherit.</summary>
    public int ReceiveLowWater { get; set; } = 1;

    /// <summary>How many connections may wait.</summary>
    public int Size { get; private set; }

    public bool HasRoom => Backlog.Count < Size;

    /// <summary>Listens; the backlog of one that does already stays.</summary>
    public void Listen(int backlog)
    {
        if (IsListening) return;
        IsListening = true;
        Size = backlog;
    }

    public void Hold() => _holders++;

    public void LetGo()
    {
        if (--_holders > 0) return;
        _host.Ports.Remove(this);
        while (Backlog.TryDequeue(out var socket)) socket.Release(reset: true);
    }

    /// <summary>The machine has crashed: what waits to be accepted is gone with it.</summary>
    public void Vanish()
    {
        IsListening = false;
        Backlog.Clear();
    }

    /// <summary>Removes the file, unless another lies at its path by now.</summary>
    public void RemoveFile()
    {
        if (_path is not null && _host.Files.Find(_path) == File) _host.Files.Remove(_path);
    }
}
