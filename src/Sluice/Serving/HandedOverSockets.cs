using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Serving;

/// <summary>The sockets that a service manager handed to this process, as its environment tells of them. One for the process's life.</summary>
internal sealed class HandedOverSockets
{
    private const int First = 3;

    // sd_listen_fds_with_names calls a socket this where the manager has given no name.
    private const string NoName = "unknown";

    private static readonly string[] Variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

    private readonly Syscalls _system;
    private readonly List<(string Name, SafeHandle Handle)> _sockets = [];

    /// <summary>Why there are no sockets, or null where there are.</summary>
    private readonly string? _reason;

    /// <summary>Whether that is an error: sockets were promised, and what is there is not in order.</summary>
    private readonly bool _isBroken;

    /// <param name="system">The kernel.</param>
    /// <param name="variable">Gives a variable of the environment.</param>
    /// <param name="processId">This process.</param>
    public HandedOverSockets(Syscalls system, Func<string, string?> variable, int processId)
    {
        _system = system;
        var (pid, count, names) = (variable("LISTEN_PID"), variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"));
        if (pid is null && count is null)
        {
            _reason = "This process was not started with sockets: LISTEN_PID and LISTEN_FDS are not set.";
            return;
        }

        _isBroken = true;
        if (pid is null || count is null)
        {
            _reason = $"{(pid is null ? "LISTEN_PID" : "LISTEN_FDS")} is not set, although its companion is.";
        }
        else if (!TryParse(pid, 1, out var owner))
        {
            _reason = $"LISTEN_PID is \"{pid}\", which is no process id.";
        }
        else if (owner != processId)
        {
            _isBroken = false;
            _reason = $"The sockets are for process {owner} (LISTEN_PID), and this is process {processId}. Was this program started by a launcher, such as dotnet run, instead of in its place?";
        }
        else if (!TryParse(count, 1, out var amount) || amount > int.MaxValue - First)
        {
            _reason = $"LISTEN_FDS is \"{count}\", which is no number of sockets.";
        }
        else
        {
            var split = names?.Split(':');
            if (split is not null && split.Length != amount) _reason = $"LISTEN_FDNAMES has {split.Length} names for {amount} sockets: \"{names}\".";
            else _reason = Take(amount, split);
        }

        _isBroken &= _reason is not null;
    }

    /// <summary>Reads the process's environment and removes the variables: they are not meant for the processes that this one starts.</summary>
    public static HandedOverSockets TakeFromEnvironment()
    {
        var sockets = new HandedOverSockets(Syscalls.System, Environment.GetEnvironmentVariable, Environment.ProcessId);
        foreach (var variable in Variables) Environment.SetEnvironmentVariable(variable, null);
        return sockets;
    }

    /// <exception cref="InvalidOperationException">What was promised is not in order.</exception>
    public bool Has(string? name)
    {
        if (_isBroken) throw new InvalidOperationException(_reason);
        return _sockets.Exists(socket => name is null || socket.Name == name);
    }

    /// <exception cref="InvalidOperationException">There are none, none with this name, or one of them cannot be served.</exception>
    public IReadOnlyList<SafeHandle> Select(string? name)
    {
        if (_reason is not null) throw new InvalidOperationException(_reason);
        var chosen = _sockets.FindAll(socket => name is null || socket.Name == name);
        if (chosen.Count == 0)
        {
            throw new InvalidOperationException(
                $"No socket named \"{name}\" was handed over; there are: {string.Join(", ", _sockets.Select(static socket => socket.Name).Distinct())}.");
        }

        foreach (var socket in chosen) CheckListens(socket.Name, (int)socket.Handle.DangerousGetHandle());
        return chosen.ConvertAll(static socket => socket.Handle);
    }

    // Close-on-exec at once: a program that somebody starts meanwhile must not get them.
    private string? Take(int count, string[]? names)
    {
        for (var i = 0; i < count; i++)
        {
            var error = _system.SetCloseOnExec(First + i);
            if (!error.IsNone)
            {
                _sockets.Clear();
                return $"LISTEN_FDS promises {count} sockets, but descriptor {First + i} is not open.";
            }

            _sockets.Add((names?[i] ?? NoName, new SafeSocketHandle(First + i, ownsHandle: false)));
        }

        return null;
    }

    private void CheckListens(string name, int fd)
    {
        var type = _system.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionType, out var error);
        var listens = error.IsNone && _system.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionListens, out error) != 0;
        if (error == IoError.NotASocket) Refuse("is no socket");
        if (!error.IsNone) Refuse($"cannot be asked what it is: {error.ToException().Message}");
        if (type != SocketConstants.TypeStream) Refuse("is no stream socket");
        if (!listens) Refuse("does not listen (a socket unit with Accept=yes hands over connections)");

        void Refuse(string what) => throw new InvalidOperationException($"Descriptor {fd} (\"{name}\") {what}; a listening stream socket is needed.");
    }

    private static bool TryParse(string text, int least, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least;
}
