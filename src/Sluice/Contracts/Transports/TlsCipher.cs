using System.Net.Security;
using System.Security.Authentication;

namespace Sluice;

/// <summary>What a TLS connection has agreed on. (asyncio: the tuple under <c>"cipher"</c>.)</summary>
/// <param name="Suite">The cipher suite.</param>
/// <param name="Protocol">The version of the protocol.</param>
public sealed record TlsCipher(TlsCipherSuite Suite, SslProtocols Protocol);
