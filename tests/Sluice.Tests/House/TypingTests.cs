using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Sluice.Tests.House;

/// <summary>
/// No casts in user code, and a wrong pairing of protocol and transport does not compile. Each example is compiled against the library
/// as a user's program would be.
/// </summary>
public sealed class TypingTests
{
    private const string Protocols = """
        using System;
        using System.Net;
        using System.Threading;
        using System.Threading.Tasks;
        using Sluice;

        sealed class Echo : Protocol
        {
            private ITransport? _transport;
            public override void ConnectionMade(ITransport transport) => _transport = transport;
            public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
        }

        sealed class Buf : BufferedProtocol
        {
            private readonly byte[] _buffer = new byte[4096];
            public override Memory<byte> GetBuffer(int sizeHint) => _buffer;
            public override void BufferUpdated(int count) { }
        }

        sealed class Lines : ReadProtocol { }

        sealed class Log : WriteProtocol { }

        sealed class Packets : DatagramProtocol { }

        """;

    private static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Sluice.dll" or "netstandard.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    [Theory]
    [InlineData("(ITransport transport, Echo echo) = await loop.CreateConnectionAsync(() => new Echo(), end);")]
    [InlineData("(ITransport transport, Lines lines) = await loop.CreateConnectionAsync(() => new Lines(), end);")]
    [InlineData("(ITransport transport, Buf buf) = await loop.CreateConnectionAsync(() => new Buf(), end);")]
    [InlineData("Server server = await loop.CreateServerAsync(() => new Echo(), end);")]
    [InlineData("Server server = await loop.CreateServerAsync(() => new Echo(), (string?)null, 0);")]
    [InlineData("Server server = await loop.CreateServerAsync(() => new Echo(), new[] { \"127.0.0.1\", \"::1\" }, 0);")]
    [InlineData("Server server = await loop.CreateServerAsync(() => new Echo(), new[] { end, end });")]
    [InlineData("Server server = await loop.CreateServerAsync(() => flag ? new Buf() : new Echo(), end);")]
    [InlineData("duplex.SetProtocol(new Echo());")]
    [InlineData("duplex.SetProtocol(new Buf());")]
    [InlineData("duplex.SetProtocol(new Lines());")]
    [InlineData("(IReadTransport transport, Lines lines) = await loop.ConnectReadPipeAsync(() => new Lines(), pipe);")]
    [InlineData("(IWriteTransport transport, Log log) = await loop.ConnectWritePipeAsync(() => new Log(), pipe);")]
    [InlineData("(IReadTransport transport, Lines lines) = await loop.ConnectReadPipeAsync(() => new Lines(), EventLoop.OpenStandardInput());")]
    [InlineData("read.SetProtocol(new Lines());")]
    [InlineData("write.SetProtocol(new Log());")]
    [InlineData("datagrams.SetProtocol(new Packets());")]
    [InlineData("EndPoint? peer = duplex.GetExtraInfo(ExtraInfo.PeerName);")]
    public void A_right_pairing_compiles_without_a_cast(string statement) => Rule.HasNo(Errors(Program(statement)));

    [Theory]
    [InlineData("await loop.ConnectReadPipeAsync(() => new Log(), pipe);", "CS0311")]
    [InlineData("await loop.ConnectReadPipeAsync(() => new Echo(), pipe);", "CS0311")]
    [InlineData("await loop.ConnectWritePipeAsync(() => new Lines(), pipe);", "CS0311")]
    [InlineData("await loop.ConnectWritePipeAsync(() => new Echo(), pipe);", "CS0311")]
    [InlineData("read.SetProtocol(new Echo());", "CS1503")]
    [InlineData("write.SetProtocol(new Echo());", "CS1503")]
    [InlineData("datagrams.SetProtocol(new Echo());", "CS1503")]
    [InlineData("duplex.SetProtocol(new Packets());", "CS1503")]
    [InlineData("duplex.SetProtocol(new Log());", "CS0619")]
    [InlineData("await loop.CreateConnectionAsync(() => new Log(), end);", "CS0311")]
    [InlineData("await loop.CreateConnectionAsync(() => new Packets(), end);", "CS0311")]
    [InlineData("await loop.CreateServerAsync(() => new Packets(), end);", "CS0029")]
    [InlineData("await loop.CreateServerAsync(() => new Echo());", "CS1501")]
    [InlineData("await loop.CreateServerAsync(() => new Log(), end);", "CS0029")]
    public void A_wrong_pairing_does_not_compile(string statement, string error) => Assert.Contains(error, Errors(Program(statement)));

    [Theory]
    [Case("PIPE-029")]
    [InlineData("read.Write(new byte[1]);")]
    [InlineData("read.WriteEof();")]
    [InlineData("read.Abort();")]
    [InlineData("write.PauseReading();")]
    [InlineData("write.ResumeReading();")]
    public void A_one_way_transport_has_no_members_of_the_other_way(string statement) => Assert.Contains("CS1061", Errors(Program(statement)));

    [Theory]
    [InlineData("sealed class Own : BaseProtocol { }", "CS0122")]
    [InlineData("sealed class Own : StreamProtocol { }", "CS0122")]
    [InlineData("sealed class Own : Handle { public override bool IsCancelled => false; public override void Cancel() { } }", "CS0122")]
    [InlineData("sealed class Own : Protocol { public override async void DataReceived(ReadOnlySpan<byte> data) => await Task.Yield(); }", "CS4012")]
    [InlineData("sealed class Own : Protocol { private ReadOnlySpan<byte> _kept; public override void DataReceived(ReadOnlySpan<byte> data) => _kept = data; }", "CS8345")]
    public void What_would_break_the_contract_does_not_compile(string declaration, string error) =>
        Assert.Contains(error, Errors(Protocols + declaration));

    [Theory]
    [Case("PROTO-008")]
    [InlineData("sealed class Own : IReadTransport { }")]
    [InlineData("sealed class Own : IWriteTransport { }")]
    [InlineData("sealed class Own : ITransport { }")]
    public void A_stream_transport_that_lacks_a_member_does_not_compile(string declaration) => Assert.Contains("CS0535", Errors(Protocols + declaration));

    [Fact]
    [Case("PROTO-009")]
    public void A_datagram_transport_that_lacks_a_member_does_not_compile() =>
        Assert.Contains("CS0535", Errors(Protocols + "sealed class Own : IDatagramTransport { }"));

    [Fact]
    [Case("PROTO-010")]
    public void A_subprocess_transport_that_lacks_a_member_does_not_compile() =>
        Assert.Contains("CS0535", Errors(Protocols + "sealed class Own : ISubprocessTransport { }"));

    [Fact]
    [Case("PROTO-003")]
    public void A_buffered_protocol_without_a_buffer_does_not_compile() =>
        Assert.Contains("CS0534", Errors(Protocols + "sealed class Own : BufferedProtocol { }"));

    [Theory]
    [Case("TCP-036")]
    [InlineData("write.Write(\"text\");")]
    [InlineData("write.Write(42);")]
    public void Only_bytes_can_be_written(string statement) => Assert.Contains("CS1503", Errors(Program(statement)));

    [Theory]
    [Case("SENDFILE-007")]
    [InlineData("await loop.SendFileAsync(duplex, System.IO.File.OpenRead(\"x\"));", null)]
    [InlineData("await loop.SendFileAsync(duplex, new System.IO.MemoryStream(), 1, 2, false);", null)]
    [InlineData("await loop.SendFileAsync(duplex, System.IO.File.OpenHandle(\"x\"), count: 3);", null)]
    [InlineData("await loop.SendFileAsync(datagrams, System.IO.File.OpenRead(\"x\"));", "CS1503")]
    [InlineData("await loop.SendFileAsync(write, System.IO.File.OpenRead(\"x\"));", "CS1503")]
    public void Files_are_sent_over_duplex_streams_only(string statement, string? error) =>
        Assert.Equal(error is null ? [] : [error], Errors(Program(statement)));

    [Theory]
    [Case("LOOP-012")]
    [InlineData("loop.CallLater(null, () => { });")]
    [InlineData("loop.CallAt(null, () => { });")]
    public void A_timer_has_a_time(string statement) => Assert.Contains("CS1503", Errors(Program(statement)));

    [Theory]
    [Case("SRV-010", "UNIX-004")]
    [InlineData("await loop.CreateServerAsync(() => new Echo(), \"localhost\", 80, socket);", "CS1503")]
    [InlineData("await loop.CreateServerAsync(() => new Echo(), end, socket);", "CS1503")]
    [InlineData("await loop.CreateUnixServerAsync(() => new Echo(), \"path\", socket);", "CS1503")]
    [InlineData("await loop.CreateUnixServerAsync(() => new Echo());", "CS1501")]
    [InlineData("await loop.CreateUnixServerAsync(() => new Echo(), socket);", null)]
    public void A_server_has_an_address_or_a_socket_and_not_both(string statement, string? error) =>
        Assert.Equal(error is null ? [] : [error], Errors(Program("System.Net.Sockets.Socket socket = null!; " + statement)));

    private static string Program(string statement) => $$"""
        {{Protocols}}
        static class Program
        {
            static async Task Main(EventLoop loop, EndPoint end, bool flag, ITransport duplex, IReadTransport read, IWriteTransport write, IDatagramTransport datagrams, System.IO.Stream pipe)
            {
                await Task.Yield();
                {{statement}}
            }
        }
        """;

    private static IEnumerable<string> Errors(string source)
    {
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);
        var tree = CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Latest), cancellationToken: TestContext.Current.CancellationToken);
        return CSharpCompilation.Create("Example", [tree], References, options).GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
            .Select(diagnostic => diagnostic.Id)
            .Distinct();
    }
}
