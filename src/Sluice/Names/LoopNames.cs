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
            ? core.Backend.Resolve(host, family, new NamingSink<IReadOnlyList<IPAddress>>(host, sink))
            : ResolverCall<IReadOnlyList<IPAddress>>.Start(core, token => AskAsync(resolver, host, family, token), context, new NamingSink<IReadOnlyList<IPAddress>>(host, sink));

    /// <summary>Asks for the name of an address. No name is a failure.</summary>
    public IoOperation Reverse(IPAddress address, ExecutionContext? context, ILookupSink<string> sink) =>
        resolver is null
            ? core.Backend.Reverse(address, new NamingSink<string>($"{address}", sink))
            : ResolverCall<string>.Start(core, token => AskAsync(resolver, address, token), context, new NamingSink<string>($"{address}", sink));

    private static async Task<IReadOnlyList<IPAddress>> AskAsync(NameResolver resolver, string host, AddressFamily family, CancellationToken token)
    {
        var task = resolver.ResolveAsync(host, family, token) ?? throw NoTask(nameof(NameResolver.ResolveAsync), host);
        var addresses = await task ?? throw new InvalidOperationException($"The resolver answered with null instead of addresses of {host}.");
        IPAddress[] wanted = [.. addresses.Where(address => address is not null && AddressQuery.Fits(address.AddressFamily, family))];
        return wanted.Length > 0 ? wanted : throw new SocketException((int)SocketError.HostNotFound);
    }

    private static async Task<string> AskAsync(NameResolver resolver, IPAddress address, CancellationToken token)
    {
        var task = resolver.ReverseAsync(address, token) ?? throw NoTask(nameof(NameResolver.ReverseAsync), address);
        var name = await task;
        return string.IsNullOrEmpty(name) ? throw new SocketException((int)SocketError.HostNotFound) : name;
    }

    private static InvalidOperationException NoTask(string method, object asked) => new($"The resolver's {method} returned null instead of a task for {asked}.");

    /// <summary>Says of a failure of the network's which name it is about: the system's texts do not. What a user's resolver throws of its own passes as it is.</summary>
    private sealed class NamingSink<TAnswer>(string asked, ILookupSink<TAnswer> sink) : ILookupSink<TAnswer>
    {
        public void OnFound(TAnswer answer) => sink.OnFound(answer);

        public void OnNotFound(Exception reason) => sink.OnNotFound(
            reason is SocketException failure && !failure.Message.Contains(asked, StringComparison.Ordinal)
                ? new SocketException((int)failure.SocketErrorCode, $"look up {asked}: {failure.Message}")
                : reason);
    }
}
