using System.Net;
using Sluice.Native;

namespace Sluice.Backends.Linux;

/// <summary>
/// Finds the local addresses of connections that were accepted on every address, when somebody asks: most servers never do. A machine has few
/// addresses, so neighbours share one object. One per backend; for any thread.
/// </summary>
internal sealed class LocalNames(Syscalls system)
{
    private volatile Entry? _last;

    /// <summary>The address of an open socket; null for one without a name, and for one that is closed.</summary>
    public EndPoint? Of(SafeFd fd)
    {
        var isHeld = false;
        try
        {
            fd.DangerousAddRef(ref isHeld);
            Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
            var local = address[..system.GetLocalName(fd.Number, address, out var error)];
            if (!error.IsNone) return null;
            if (_last is { } last && local.SequenceEqual(last.Bytes)) return last.Name;
            var name = EndPointBytes.ToEndPoint(local);
            if (name is not null) _last = new Entry(local.ToArray(), name);
            return name;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        finally
        {
            if (isHeld) fd.DangerousRelease();
        }
    }

    private sealed record Entry(byte[] Bytes, EndPoint Name);
}
