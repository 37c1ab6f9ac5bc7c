using System.Net;
using Sluice.Testing.Checks.Pipes;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>Ambient values in the callbacks of what is no connection: datagram endpoints, children and pipes see those of the call that created them.</summary>
internal static class EndpointContextChecks
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Check("CTX-004")]
    public static async Task A_datagram_endpoint_sees_the_context_of_the_call_that_opened_it(KernelStage stage)
    {
        var seen = new Sightings();
        Ambient.Value = "creator";
        var (transport, endpoint) = await stage.Loop.CreateDatagramEndpointAsync(() => new WitnessEndpoint(seen), stage.Datagrams.CreateAddress());
        Ambient.Value = "elsewhere";

        transport.SendTo("x"u8, transport.GetExtraInfo(ExtraInfo.SocketName));
        await endpoint.Received;
        transport.Close();
        await endpoint.Lost;
        seen.Verify("Factory", "ConnectionMade", "DatagramReceived", "ConnectionLost");
        Check.Equal("elsewhere", Ambient.Value);
    }

    [Check("CTX-004")]
    public static async Task A_child_sees_the_context_of_the_call_that_started_it(KernelStage stage)
    {
        var seen = new Sightings();
        Ambient.Value = "creator";
        var (_, child) = await stage.Loop.SubprocessExecAsync(() => new WitnessChild(seen), ChildKit.Shell, StageProgram.Print.Arguments("10"));
        Ambient.Value = "elsewhere";

        await child.Lost;
        seen.Verify("Factory", "ConnectionMade", "PipeDataReceived", "PipeConnectionLost", "ProcessExited", "ConnectionLost");
        Check.Equal("elsewhere", Ambient.Value);
    }

    [Check("CTX-004")]
    public static async Task Pipes_see_the_context_of_the_call_that_opened_them(KernelStage stage)
    {
        var seen = new Sightings();
        var pipe = new PipeEnds(stage);
        Ambient.Value = "creator";
        await pipe.OpenReaderAsync(new RecordingReadProtocol
        {
            OnMade = _ => seen.Note("ConnectionMade"),
            OnData = _ => seen.Note("DataReceived"),
            OnLost = _ => seen.Note("ConnectionLost"),
        });
        Ambient.Value = "elsewhere";
        await pipe.OpenWriterAsync();

        pipe.Writer.Write("x"u8);
        pipe.Writer.Close();
        await pipe.Reading.Record.Lost;
        seen.Verify("ConnectionMade", "DataReceived", "ConnectionLost");
        Check.Equal("elsewhere", Ambient.Value);
    }

    /// <summary>Which value each callback saw.</summary>
    private sealed class Sightings
    {
        private readonly List<(string Callback, string? Value)> _seen = [];

        public void Note(string callback) => _seen.Add((callback, Ambient.Value));

        public void Verify(params string[] callbacks)
        {
            foreach (var (callback, value) in _seen) Check.Equal("creator", value, $"the value in {callback}");
            Check.Trace(_seen.Select(static entry => entry.Callback).Distinct().Order().ToArray(), callbacks.Order());
        }
    }

    private sealed class WitnessEndpoint : DatagramProtocol
    {
        private readonly Sightings _seen;
        private readonly TaskCompletionSource _received = EventLoop.Current.CreateFuture();
        private readonly TaskCompletionSource _lost = EventLoop.Current.CreateFuture();

        public WitnessEndpoint(Sightings seen)
        {
            _seen = seen;
            seen.Note("Factory");
        }

        public Task Received => _received.Task;

        public Task Lost => _lost.Task;

        public override void ConnectionMade(IDatagramTransport transport) => _seen.Note("ConnectionMade");

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
        {
            _seen.Note("DatagramReceived");
            _received.TrySetResult();
        }

        public override void ConnectionLost(Exception? exception)
        {
            _seen.Note("ConnectionLost");
            _lost.SetResult();
        }
    }

    private sealed class WitnessChild : SubprocessProtocol
    {
        private readonly Sightings _seen;
        private readonly TaskCompletionSource _lost = EventLoop.Current.CreateFuture();

        public WitnessChild(Sightings seen)
        {
            _seen = seen;
            seen.Note("Factory");
        }

        public Task Lost => _lost.Task;

        public override void ConnectionMade(ISubprocessTransport transport)
        {
            _seen.Note("ConnectionMade");
            transport.StandardInput!.Close();
        }

        public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data) => _seen.Note("PipeDataReceived");

        public override void PipeConnectionLost(int fd, Exception? exception) => _seen.Note("PipeConnectionLost");

        public override void ProcessExited() => _seen.Note("ProcessExited");

        public override void ConnectionLost(Exception? exception)
        {
            _seen.Note("ConnectionLost");
            _lost.SetResult();
        }
    }
}
