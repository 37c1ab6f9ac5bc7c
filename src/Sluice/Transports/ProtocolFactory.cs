using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>Calls the factories of protocols, which are the user's. Stateless.</summary>
internal static class ProtocolFactory
{
    /// <summary>A protocol that serves nobody yet, made in the context that its callbacks will run in.</summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static TProtocol Make<TTransport, TProtocol>(Func<TProtocol> factory, ExecutionContext? context)
        where TTransport : class, IBaseTransport
        where TProtocol : class, IProtocol<TTransport>
    {
        CallbackContext.Enter(context);
        var protocol = factory() ?? throw new InvalidOperationException("The protocol factory returned null.");
        if (protocol.Instance.Serves is null) return protocol;
        throw new InvalidOperationException(
            $"The protocol factory returned a {protocol.GetType()} that already serves another transport: a protocol and its transport are one to one.");
    }
}
