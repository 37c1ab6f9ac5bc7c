using System.Net;
using System.Text.RegularExpressions;
using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>The same scenarios on CPython's asyncio and on Sluice: the same callbacks, except where Sluice differs on purpose.</summary>
public sealed partial class ParityTests(ParityTests.AsyncioTraces asyncio) : IClassFixture<ParityTests.AsyncioTraces>
{
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["null"] = "None",
        ["ArgumentException"] = "ValueError",
        ["SocketException ConnectionReset"] = "ConnectionResetError",
    };

    [GeneratedRegex(@"(?<!^)(?=[A-Z])")]
    private static partial Regex WordStart { get; }

    [Theory]
    [Case("PROTO-006")]
    [InlineData("the server answers and closes")]
    [InlineData("the end of the stream kept open")]
    [InlineData("a pause in connection_made")]
    [InlineData("a close in connection_made")]
    public async Task The_callbacks_are_those_of_asyncio(string scenario)
    {
        var theirs = await asyncio.OfAsync(scenario);

        Assert.Equal(theirs, Play(scenario));
    }

    /// <summary>An abort is a reset, where asyncio closes the descriptor and the peer takes what it got for the whole.</summary>
    [Theory]
    [Case("TCP-012")]
    [InlineData("abort with a full queue")]
    [InlineData("an exception in data_received")]
    [InlineData("an exception in eof_received")]
    public async Task A_connection_that_is_cut_off_differs_only_in_the_reset_that_the_peer_sees(string scenario)
    {
        var theirs = await asyncio.OfAsync(scenario);

        Assert.Contains("eof_received, connection_lost(None) | ", theirs);
        Assert.Equal(theirs.Replace("eof_received, connection_lost(None) | ", "connection_lost(ConnectionResetError) | "), Play(scenario));
    }

    /// <summary>After Close nothing invites to write, where asyncio calls resume_writing while it flushes.</summary>
    [Theory]
    [Case("FLOW-006")]
    [InlineData("close with a full queue")]
    public async Task A_flush_behind_a_close_differs_only_in_the_missing_resume_writing(string scenario)
    {
        var theirs = await asyncio.OfAsync(scenario);

        Assert.Contains("resume_writing, ", theirs);
        Assert.Equal(theirs.Replace("resume_writing, ", ""), Play(scenario));
    }

    private static string Play(string scenario)
    {
        var (client, server) = ParityScenarios.Make(scenario);
        PeerRun.OnLoop(async loop =>
        {
            loop.ExceptionHandler = static (_, _) => { };
            var listener = await loop.CreateServerAsync(() => server, new IPEndPoint(IPAddress.Loopback, 0));
            await loop.CreateConnectionAsync(() => client, listener.EndPoints[0]);
            await client.Lost;
            await server.Lost;
            listener.Close();
        });
        Assert.Empty(client.Violations);
        Assert.Empty(server.Violations);
        return $"{InPython(client)} | {InPython(server)}";
    }

    private static string InPython(RecordingProtocol protocol) => string.Join(", ", protocol.Record.Shape.Select(static entry =>
    {
        var parts = entry.TrimEnd(')').Split('(');
        var name = WordStart.Replace(parts[0], "_").ToLowerInvariant();
        return parts.Length == 1 ? name : $"{name}({Exceptions.GetValueOrDefault(parts[1], parts[1])})";
    }));

    /// <summary>What asyncio_traces.py printed, by scenario. Played once, when the first test asks.</summary>
    public sealed class AsyncioTraces
    {
        private readonly Lazy<Task<Dictionary<string, string>>> _traces = new(PlayAsync);

        public async Task<string> OfAsync(string scenario)
        {
            Peer.Find("python3");
            return (await _traces.Value)[scenario];
        }

        private static async Task<Dictionary<string, string>> PlayAsync()
        {
            using var script = PeerProcess.Python("asyncio_traces.py");
            var output = await script.ReadToEndAsync();
            return output.Split('\n').Select(static line => line.Split(" | ", 2)).ToDictionary(static parts => parts[0], static parts => parts[1]);
        }
    }
}
