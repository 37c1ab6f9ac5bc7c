using System.Globalization;

namespace Sluice.Names;

/// <summary>
/// Which texts may be asked for as the name of a host. Resolvers cut what is too long or holds a NUL, and then answer for another name. Stateless.
/// </summary>
internal static class HostName
{
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    private static readonly IdnMapping International = new();

    /// <summary>The name as resolvers take it: an international one in its ASCII form.</summary>
    /// <exception cref="ArgumentException">It cannot be the name of a host.</exception>
    public static string ToAscii(string host, string parameter)
    {
        if (host.Length == 0) throw new ArgumentException("A host name cannot be empty.", parameter);
        foreach (var character in host)
        {
            if (char.IsControl(character) || char.IsWhiteSpace(character) || character is '[' or ']')
            {
                throw new ArgumentException("A host name holds no white space, control characters or brackets.", parameter);
            }
        }

        var name = System.Text.Ascii.IsValid(host) ? host : Encode(host, parameter);
        var withoutRoot = name.EndsWith('.') ? name[..^1] : name;
        if (withoutRoot.Length > MaxLength) throw new ArgumentException($"A host name holds at most {MaxLength} characters.", parameter);
        foreach (var label in withoutRoot.Split('.'))
        {
            if (label.Length is 0 or > MaxLabelLength)
            {
                throw new ArgumentException($"Each label of a host name holds 1 to {MaxLabelLength} characters.", parameter);
            }
        }

        return name;
    }

    private static string Encode(string host, string parameter)
    {
        try
        {
            return International.GetAscii(host);
        }
        catch (ArgumentException reason)
        {
            throw new ArgumentException("This is not a valid international host name.", parameter, reason);
        }
    }
}
