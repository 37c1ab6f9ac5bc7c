using Sluice.Ending;
using Sluice.Loop;
using Sluice.Names;
using Sluice.Tls;

namespace Sluice.Connecting;

/// <summary>What the ways to a transport need of their loop. Made and owned by it.</summary>
/// <param name="core">Turns, timers and the backend.</param>
/// <param name="members">What lives on the loop and ends with it.</param>
/// <param name="names">Who answers questions about names.</param>
/// <param name="tls">The buffers that TLS connections share.</param>
internal sealed class LoopServices(LoopCore core, LoopMembers members, LoopNames names, TlsWorkspace tls)
{
    public LoopCore Core => core;

    public LoopMembers Members => members;

    public LoopNames Names => names;

    public TlsWorkspace Tls => tls;
}
