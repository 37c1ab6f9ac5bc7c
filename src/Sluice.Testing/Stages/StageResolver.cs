using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing;

/// <summary>The names that a check gives its stage: answers from a table, in the next turn, and keeps what was asked. Owned by the stage.</summary>
internal sealed class StageResolver : NameResolver
{
    private readonly Dictionary<string, Func<AddressFamily, CancellationToken, Task<IReadOnlyList<IPAddress>>>> _names = [];

    /// <summary>What was asked, in order.</summary>
    public List<(string Host, AddressFamily Family)> Questions { get; } = [];

    /// <summary>Gives a name its addresses.</summary>
    public void Add(string name, params IPAddress[] addresses) =>
        Add(name, (_, _) => Task.FromResult<IReadOnlyList<IPAddress>>(addresses));

    /// <summary>Gives a name an answer of any kind.</summary>
    public void Add(string name, Func<AddressFamily, CancellationToken, Task<IReadOnlyList<IPAddress>>> answer) => _names[name] = answer;

    public override Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken)
    {
        Questions.Add((host, family));
        return _names.TryGetValue(host, out var answer)
            ? answer(family, cancellationToken)
            : Task.FromException<IReadOnlyList<IPAddress>>(new SocketException((int)SocketError.HostNotFound));
    }

    public override Task<string> ReverseAsync(IPAddress address, CancellationToken cancellationToken) =>
        IPAddress.IsLoopback(address) ? Task.FromResult("stage.test") : base.ReverseAsync(address, cancellationToken);
}
