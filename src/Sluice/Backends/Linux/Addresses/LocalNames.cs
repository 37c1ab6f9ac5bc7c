using System.Net;
using Sluice.Native;

namespace Sluice.Backends.Linux.Addresses;

/// <summary>
/// The local addresses of connections to listeners that are bound to every address, where each connection has to be asked. A machine has few
/// addresses, so neighbours share one object. Owned by its backend.
/// </summary>
internal sealed class LocalNames(Syscalls system)
{
    private byte[] _lastBytes = [];
    private EndPoint? _last;

    /// <summary>The address of an open socket, or null where the kernel does not tell.</summary>
    public EndPoint? Of(int fd)
    {
        Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
        var local = address[..system.GetLocalName(fd, address, out var error)];
        if (!error.IsNone) return null;
        if (_last is null || !local.SequenceEqual(_lastBytes))
        {
            _lastBytes = local.ToArray();
            _last = EndPointBytes.ToEndPoint(local);
        }

        return _last;
    }
}
