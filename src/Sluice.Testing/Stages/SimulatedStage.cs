using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Streams;
using Sluice.Testing.Kits;

namespace Sluice.Testing;

/// <summary>A stage on the simulated kernel. Besides the contract it verifies, when a check ends, what only a simulated kernel can see.</summary>
public sealed class SimulatedStage : KernelStage
{
    // Longer than a graceful close lingers.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(4);

    private const int PassesPerStep = 4;
    private static readonly TimeSpan PartOfAWay = TimeSpan.FromMicroseconds(50);
    private const int Backlog = 100;

    private readonly Simulation _simulation;
    private readonly SimulatedHost _host;
    private readonly bool _isUnix;
    private int _paths;
    private int _addresses;

    private SimulatedStage(Simulation simulation, bool isUnix)
    {
        _simulation = simulation;
        _host = simulation.AddHost("stage", new EventLoopOptions { Logger = Log, Resolver = Names });
        _host.AddProgram("sh", StageProgram.RunShell);
        _isUnix = isUnix;
        Datagrams = new SimulatedDatagramKit(this, _host, isUnix);
    }

    /// <inheritdoc/>
    public override EventLoop Loop => _host.Loop;

    /// <inheritdoc/>
    public override CheckNeeds Offers => Tls is null ? OffersOf(_isUnix) : OffersOverTls;

    /// <inheritdoc/>
    public override HostFaults Faults => _host.Faults;

    /// <summary>What a stage of this family offers.</summary>
    /// <param name="isUnix">Unix sockets instead of TCP.</param>
    public static CheckNeeds OffersOf(bool isUnix) =>
        OffersOfFamily(isUnix) | CheckNeeds.DatagramRoom | CheckNeeds.Faults | CheckNeeds.VirtualTime;

    /// <summary>Runs one check from its beginning to its verified end.</summary>
    /// <param name="check">The check.</param>
    /// <param name="seed">Decides what the kernel does.</param>
    /// <param name="isUnix">Unix sockets instead of TCP.</param>
    /// <param name="options">What the kernel may do, or null for the defaults.</param>
    /// <exception cref="CheckFailedException">The transport behaves otherwise; the message names the seed.</exception>
    public static void Run(TransportCheck check, int seed, bool isUnix, SimulationOptions? options = null) => Run(check, seed, isUnix, options, tls: null);

    /// <summary>What a stage offers whose connections speak TLS.</summary>
    internal static CheckNeeds OffersWithTls => OffersOverTls;

    /// <summary>As the public one, with or without TLS on the connections of the stage.</summary>
    internal static void Run(TransportCheck check, int seed, bool isUnix, SimulationOptions? options, TestTls? tls)
    {
        ArgumentNullException.ThrowIfNull(check);
        // What becomes of datagrams that a network loses is no matter of the transport.
        options = (options ?? new SimulationOptions()) with { DatagramLoss = 0, DatagramDuplication = 0, DatagramReordering = 0 };
        var simulation = new Simulation(seed, options);
        var stage = new SimulatedStage(simulation, isUnix) { Tls = tls };
        try
        {
            simulation.Run(() => check.PerformAsync(stage));
            simulation.Dispose();
        }
        catch (Exception exception)
        {
            throw new CheckFailedException(
                $"{check.Name}, seed {seed}, {(isUnix ? "Unix" : "TCP")}{(tls is null ? "" : " with TLS")}: {exception.Message}{Environment.NewLine}{stage.DescribeRecords()}", exception);
        }
    }

    /// <inheritdoc/>
    public override EndPoint CreateListenAddress() =>
        _isUnix ? new UnixDomainSocketEndPoint($"/simulated/{++_paths}") : new IPEndPoint(IPAddress.Loopback, 0);

    /// <inheritdoc/>
    public override Task SettleAsync() => Task.Delay(Settling, Loop.TimeProvider);

    /// <summary>The clock stands while a loop has turns to run: some passes, then a part of a packet's way.</summary>
    internal override async Task InstantsAsync(int count)
    {
        for (var steps = count / PassesPerStep; steps > 0; steps--)
        {
            var waited = Loop.CreateFuture();
            Loop.CallLater(PartOfAWay, waited.SetResult);
            await waited.Task;
        }

        await PassesAsync(count % PassesPerStep);
    }

    internal override Task PassTimeAsync(TimeSpan time) => Task.Delay(time, Loop.TimeProvider);

    /// <summary>Bound, and nobody listens.</summary>
    internal override IPAddress CreateRefusingAddress(int port)
    {
        var address = new IPAddress([127, 0, 1, (byte)++_addresses]);
        _host.Machine.Ports.TryReserve(new IPEndPoint(address, port), out _, out _);
        return address;
    }

    internal override IPAddress CreateSilentAddress(int port)
    {
        var address = CreateRefusingAddress(port);
        _simulation.MakeSilent(address);
        return address;
    }

    internal override DatagramKit Datagrams { get; }

    internal override (SafeHandle First, SafeHandle Second) CreateSocketPair() => _host.Backend.CreateStreamPair(_isUnix);

    internal override (SafeHandle Reader, SafeHandle Writer) CreatePipe() => _host.CreatePipe();

    internal override bool IsChildLeft(int processId) => _host.Machine.Processes.Running.Any(process => process.ProcessId == processId);

    /// <summary>Other processes only run while this one's loop does: the end may have been noticed.</summary>
    internal override Task AwaitEndUnnoticedAsync(ISubprocessTransport child) => SettleAsync();

    internal override void StealExitStatus(int processId) => _host.Faults.LoseNextExitStatus();

    internal override void SendSignal(PosixSignal signal) => _host.SendSignal(signal);

    internal override SafeHandle CreateBoundSocket(EndPoint address, bool listens) => _host.Backend.CreateBoundSocket(address, listens ? Backlog : null);

    internal override EndPoint AddressOf(SafeHandle socket) => ((SimulatedListenerHandle)socket).Listener.LocalName;

    internal override void SetLinger(SafeHandle socket, int seconds)
    {
        if (socket is SimulatedListenerHandle bound) bound.Listener.Linger = seconds;
        else ((SimulatedSocketHandle)socket).Kernel.Linger = seconds;
    }

    internal override void SetReceiveLowWater(SafeHandle socket, int bytes)
    {
        if (socket is SimulatedListenerHandle bound) bound.Listener.ReceiveLowWater = bytes;
        else ((SimulatedSocketHandle)socket).Kernel.ReceiveLowWater = bytes;
    }

    internal override UnixDomainSocketEndPoint CreateAbstractAddress() => new($"\0simulated-{++_paths}");

    internal override PeerCredentials Credentials => _host.Credentials;

    internal override void PutFile(string path) => _host.Machine.Files.Create(path, isSocket: false);

    internal override void PutStaleSocket(string path) => _host.Machine.Files.Create(path, isSocket: true);

    internal override void RemoveFile(string path) => _host.Machine.Files.Remove(path);

    internal override object? IdentityOf(string path) => _host.Machine.Files.Find(path);

    internal override void VerifyEnd(IReadOnlyList<ProtocolRecord> records)
    {
        Check.Equal(0, _simulation.Network.OpenSockets.Count, "sockets that were never closed");
        Check.Equal(0, _simulation.Network.OpenDatagrams.Count, "datagram sockets that were never closed");
        if (Tls is not null) return;
        foreach (var record in records) VerifyBytes(record);
    }

    /// <summary>What a protocol received is the beginning of what the peer's transport sent, and all of it where the end was seen.</summary>
    private static void VerifyBytes(ProtocolRecord record)
    {
        if (record.AnyTransport?.GetExtraInfo(ExtraInfo.Tls) is not null) return;
        if (KernelOf(record.AnyTransport) is not { } kernel) return;
        var log = kernel.Incoming.Log!;
        var sent = new byte[log.Count];
        log.Take(sent);
        log.Append(sent);
        var ended = record.Trace.Contains("EofReceived");
        Check.That(record.Received.Length <= sent.Length, "a protocol received more than its peer had sent");
        Check.Bytes(ended ? sent : sent.AsSpan(0, record.Received.Length), record.Received, "the bytes received");
    }

    private static SimulatedSocket? KernelOf(IBaseTransport? transport) =>
        (transport?.GetExtraInfo(ExtraInfo.Socket) as SimulatedTransportSocket)?.Kernel ?? (transport?.GetExtraInfo(ExtraInfo.Pipe) as SimulatedSocketHandle)?.Kernel;
}
