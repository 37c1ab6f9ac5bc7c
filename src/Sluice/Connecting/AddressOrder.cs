using System.Net;

namespace Sluice.Connecting;

/// <summary>In which order the addresses of a host are tried. Stateless.</summary>
internal static class AddressOrder
{
    /// <summary>
    /// Has the families take turns, the first address's family first, each in the order that it had; that family has
    /// <paramref name="lead"/> addresses before the turns begin. Zero changes nothing.
    /// </summary>
    public static IReadOnlyList<T> Interleave<T>(IReadOnlyList<T> addresses, int lead) where T : EndPoint
    {
        if (lead == 0) return addresses;
        var families = addresses.GroupBy(address => address.AddressFamily).Select(family => new Queue<T>(family)).ToList();
        var ordered = new List<T>(addresses.Count);
        for (var extra = lead - 1; extra > 0 && families.Count > 0 && families[0].Count > 0; extra--) ordered.Add(families[0].Dequeue());
        while (ordered.Count < addresses.Count)
        {
            foreach (var family in families)
            {
                if (family.TryDequeue(out var address)) ordered.Add(address);
            }
        }

        return ordered;
    }
}
