using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Tour;

/// <summary>What was typed behind the program's name.</summary>
internal sealed record Arguments(bool Serve, int Port)
{
    public const string Usage = """
        usage: Tour                      runs the exchanges and ends
               Tour --serve [--port N]   keeps the servers up for other programs until Ctrl+C; N is 8888 unless given
        """;

    private const int DefaultPort = 8888;

    public static bool TryParse(string[] args, [NotNullWhen(true)] out Arguments? arguments)
    {
        arguments = args switch
        {
            [] => new Arguments(false, 0),
            ["--serve"] => new Arguments(true, DefaultPort),
            ["--serve", "--port", var text] when TryParsePort(text, out var port) => new Arguments(true, port),
            _ => null,
        };
        return arguments is not null;
    }

    private static bool TryParsePort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= IPEndPoint.MaxPort;
}
