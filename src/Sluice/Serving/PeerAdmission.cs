using System.Net;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Names;

namespace Sluice.Serving;

/// <summary>Decides which Unix peers a server serves, by the user's filter or by the rule for abstract names. Owned by its server.</summary>
internal sealed class PeerAdmission(LoopCore loop, Func<PeerCredentials, bool>? filter, ExecutionContext? context)
{
    private EndPoint? _lastName;
    private bool _lastIsAbstract;

    /// <summary>Whether the peer is served. User code may have run: the server looks at its own state again.</summary>
    public bool Admits(StreamChannel channel)
    {
        if (channel.LocalName is not { } name || !UnixAddress.Is(name)) return true;
        if (filter is null) return !IsAbstract(name) || (channel.PeerCredentials is { } peer && peer.UserId == loop.Backend.UserId);
        return channel.PeerCredentials is { } credentials && Passes(filter, credentials, name);
    }

    private bool Passes(Func<PeerCredentials, bool> asked, PeerCredentials peer, EndPoint name)
    {
        try
        {
            CallbackContext.Enter(context);
            return asked(peer);
        }
        catch (Exception exception)
        {
            loop.Errors.Report(new ExceptionContext("The Unix peer filter threw; the connection is refused") { Exception = exception, EndPoint = name });
            return false;
        }
    }

    // All connections of a listener share its name.
    private bool IsAbstract(EndPoint name)
    {
        if (!ReferenceEquals(name, _lastName))
        {
            _lastName = name;
            _lastIsAbstract = UnixAddress.IsAbstract(name);
        }

        return _lastIsAbstract;
    }
}
