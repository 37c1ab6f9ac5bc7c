using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Protocols;

/// <summary>Ambient values (<see cref="AsyncLocal{T}"/>) of callbacks: those of the call that created the connection, whoever set the callback off.</summary>
internal static class ContextChecks
{
    private static readonly AsyncLocal<string?> Ambient = new();

    private static readonly string[] AllCallbacks =
        ["ConnectionMade", "DataReceived", "PauseWriting", "ResumeWriting", "EofReceived", "ConnectionLost"];

    [Check("CTX-001", "CTX-002", "CTX-003")]
    public static async Task Every_callback_of_both_ends_sees_the_context_of_the_call_that_created_it(KernelStage stage)
    {
        var atServer = new Witness();
        var atClient = new Witness();
        Ambient.Value = "server";
        var listener = await stage.Loop.CreateServerAsync(() => stage.Watch(atServer.Make()), stage.CreateListenAddress());
        Ambient.Value = "client";
        await stage.Loop.CreateConnectionAsync(() => stage.Watch(atClient.Make()), listener.EndPoints[0]);
        Ambient.Value = "elsewhere";
        await stage.UntilAsync(() => atServer.Protocol is { Record.Made.IsCompleted: true });
        listener.Close();

        await ExchangeAsync(stage, atClient, atServer);

        atClient.VerifySaw("client", ["Factory", .. AllCallbacks]);
        atServer.VerifySaw("server", ["Factory", .. AllCallbacks]);
        Check.Equal("elsewhere", Ambient.Value);
    }

    [Check("CTX-001")]
    public static async Task The_callbacks_over_given_sockets_see_the_context_of_the_call_that_took_them_over(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var one = new Witness();
        var two = new Witness();
        Ambient.Value = "one";
        await stage.Loop.AdoptAsync(() => stage.Watch(one.Make()), first);
        Ambient.Value = "two";
        await stage.Loop.AdoptAsync(() => stage.Watch(two.Make()), second);
        Ambient.Value = "elsewhere";

        await ExchangeAsync(stage, one, two);

        one.VerifySaw("one", ["Factory", .. AllCallbacks]);
        two.VerifySaw("two", ["Factory", .. AllCallbacks]);
    }

    [Check("CTX-001", Needs = CheckNeeds.HalfClose)]
    public static async Task A_buffered_protocol_is_asked_in_the_context_of_its_creator(CheckStage stage)
    {
        var seen = new List<string?>();
        Ambient.Value = "creator";
        var pair = await stage.ConnectAsync(
            () => new RecordingBufferedProtocol
            {
                OnGetBuffer = _ =>
                {
                    seen.Add(Ambient.Value);
                    return new byte[10];
                },
                OnData = _ => seen.Add(Ambient.Value),
                OnEof = () =>
                {
                    seen.Add(Ambient.Value);
                    return false;
                },
                OnLost = _ => seen.Add(Ambient.Value),
            });

        Ambient.Value = "elsewhere";
        pair.Server.Write("data"u8);
        pair.Server.WriteEof();
        await pair.ClientRecord.Lost;

        Check.That(seen.Count >= 4);
        Check.That(seen.TrueForAll(static value => value == "creator"), $"a callback saw {seen.Find(static value => value != "creator")}");
    }

    [Check("CTX-001")]
    public static async Task PauseWriting_runs_in_the_creators_context_and_leaves_the_writers_alone(CheckStage stage)
    {
        var seen = new List<string?>();
        Ambient.Value = "creator";
        var (pair, _) = await Congestion.ConnectAsync(stage, () => new RecordingProtocol
        {
            OnPause = () =>
            {
                seen.Add(Ambient.Value);
                Ambient.Value = "changed by the callback";
            },
            OnResume = () => seen.Add(Ambient.Value),
        });
        pair.Client.SetWriteBufferLimits(high: pair.Client.WriteBufferSize);

        Ambient.Value = "writer";
        pair.Client.Write([1]);
        Check.Equal("writer", Ambient.Value);

        pair.Server.ResumeReading();
        await stage.UntilAsync(() => seen.Count == 2);
        Check.Trace(seen.ConvertAll(static value => value ?? "nothing"), "creator", "creator");
    }

    [Check("CTX-001", "CTX-002")]
    public static async Task What_a_callback_changes_is_gone_in_the_next_callback_of_anyone(CheckStage stage)
    {
        var seen = new List<string?>();
        RecordingProtocol Make() => new()
        {
            OnMade = static _ => Ambient.Value = "changed",
            OnData = _ =>
            {
                seen.Add(Ambient.Value);
                Ambient.Value = "changed";
            },
            OnEof = () =>
            {
                seen.Add(Ambient.Value);
                Ambient.Value = "changed";
                return false;
            },
            OnLost = _ =>
            {
                seen.Add(Ambient.Value);
                Ambient.Value = "changed";
            },
        };

        // Whoever runs the check may have put something into the context: only where it does not flow are callbacks in the default one.
        Task<StreamPair> connecting;
        var posted = "not called";
        using (ExecutionContext.SuppressFlow()) connecting = stage.ConnectAsync(Make, Make);
        var pair = await connecting;
        using (ExecutionContext.SuppressFlow()) stage.Loop.CallSoon(() => posted = Ambient.Value ?? "nothing");

        pair.Client.Write("one"u8);
        await pair.ServerProtocol.WaitForBytesAsync(3);
        pair.Server.Write("two"u8);
        await pair.ClientProtocol.WaitForBytesAsync(3);
        pair.Client.Close();
        await pair.ClientRecord.Lost;
        await pair.ServerRecord.Lost;

        Check.That(seen.Count >= 5);
        Check.That(seen.TrueForAll(static value => value is null), "a callback saw what another one had set");
        Check.Equal("nothing", posted);
    }

    /// <summary>Sets off every callback of both ends, from the caller's context: data, pause and resume, the end, and a close.</summary>
    private static async Task ExchangeAsync(CheckStage stage, Witness one, Witness two)
    {
        foreach (var (writer, reader) in new[] { (one.Protocol!, two.Protocol!), (two.Protocol!, one.Protocol!) })
        {
            reader.Transport.PauseReading();
            var written = await Congestion.FillAsync(stage, writer.Transport);
            writer.Transport.SetWriteBufferLimits(high: 0);
            reader.Transport.ResumeReading();
            await reader.WaitForBytesAsync(written);
        }

        one.Protocol!.Transport.WriteEof();
        two.Protocol!.Transport.WriteEof();
        await one.Protocol.WaitForEofAsync();
        await two.Protocol.WaitForEofAsync();
        one.Protocol.Transport.Close();
        two.Protocol.Transport.Close();
        await one.Protocol.Lost;
        await two.Protocol.Lost;
    }

    /// <summary>Makes one protocol and notes the ambient value in its factory and in each callback.</summary>
    private sealed class Witness
    {
        private readonly List<(string Callback, string? Value)> _seen = [];

        public RecordingProtocol? Protocol { get; private set; }

        public RecordingProtocol Make()
        {
            Note("Factory");
            return Protocol = new RecordingProtocol
            {
                OnMade = _ => Note("ConnectionMade"),
                OnData = _ => Note("DataReceived"),
                OnPause = () => Note("PauseWriting"),
                OnResume = () => Note("ResumeWriting"),
                OnLost = _ => Note("ConnectionLost"),
                OnEof = () =>
                {
                    Note("EofReceived");
                    return true;
                },
            };
        }

        public void VerifySaw(string value, params string[] callbacks)
        {
            foreach (var (callback, seen) in _seen) Check.Equal(value, seen, $"the value in {callback}");
            Check.Trace(_seen.Select(static entry => entry.Callback).Distinct().Order().ToArray(), callbacks.Order());
        }

        private void Note(string callback) => _seen.Add((callback, Ambient.Value));
    }
}
