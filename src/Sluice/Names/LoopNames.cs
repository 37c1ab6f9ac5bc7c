using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Names;

/// <summary>Who answers questions about names on a loop: the user's resolver, or the backend. Owned by the loop; on its thread.</summary>
internal sealed class LoopNames(LoopCore core, NameResolver? resolver)
{
    /// <summary>Asks for the addresses of a name. No address is a failure.</summary>
    public IoOperation Resolve(string host, AddressFamily family, ExecutionContext? context, ILookupSink<IReadOnlyList<IPAddress>> sink) =>
        resolver is null
            ? core.Backend.Resolve(host, family, sink)
            : ResolverCall<IReadOnlyList<IPAddress>>.Start(core, token => AskAsync(resolver, host, family, token), context, sink);

    /// <summary>Asks for the name of an address. No name is a failure.</summary>
    public IoOperation Reverse(IPAddress address, ExecutionContext? context, ILookupSink<string> sink) =>
        resolver is null
            ? core.Backend.Reverse(address, sink)
            : ResolverCall<string>.Start(core, token => AskAsync(resolver, address, token), context, sink);

    private static async Task<IReadOnlyList<IPAddress>> AskAsync(NameResolver resolver, string host, AddressFamily family, CancellationToken token)
    {
        var task = resolver.ResolveAsync(host, family, token) ?? throw NoTask(nameof(NameResolver.ResolveAsync));
        var addresses = await task ?? throw new InvalidOperationException("The resolver answered with null instead of addresses.");
        IPAddress[] wanted = [.. addresses.Where(address => address is not null && AddressQuery.Fits(address.AddressFamily, family))];
        return wanted.Length > 0 ? wanted : throw new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<string> AskAsync(NameResolver resolver, IPAddress address, CancellationToken token)
    {
        var task = resolver.ReverseAsync(address, token) ?? throw NoTask(nameof(NameResolver.ReverseAsync));
        var name = await task;
        return string.IsNullOrEmpty(name) ? throw new SocketException((int)SocketError.HostNotFound) : name;
    }

    private static InvalidOperationException NoTask(string method) => new($"The resolver's {method} returned null instead of a task.");
}
