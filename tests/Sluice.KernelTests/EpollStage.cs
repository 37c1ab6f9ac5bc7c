using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends.Epoll;
using Sluice.Backends.Linux.Addresses;
using Sluice.KernelTests.Subprocesses.Kit;
using Sluice.Native;
using Sluice.Testing;
using Sluice.Testing.Kits;

namespace Sluice.KernelTests;

/// <summary>A stage on epoll and real sockets of one family. A check that does not end is stopped by a timer of its loop.</summary>
internal sealed class EpollStage : KernelStage
{
    private const int SettlingPasses = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly AdvancedClock _clock = new();
    private readonly SocketFamily _family;
    private readonly string _directory;
    private readonly List<Socket> _sockets = [];
    private int _paths;
    private int _addresses;

    private EpollStage(SocketFamily family, string directory)
    {
        OwnSignals.Expect();
        Loop = new EventLoop(new EpollBackend(clock: _clock), new EventLoopOptions { Logger = Log, Resolver = Names });
        _family = family;
        _directory = directory;
        Datagrams = new EpollDatagramKit(this, family);
    }

    public override EventLoop Loop { get; }

    public override CheckNeeds Offers => Tls is null ? OffersOf(_family) : OffersWithTls;

    public static CheckNeeds OffersWithTls => OffersOverTls;

    public static CheckNeeds OffersOf(SocketFamily family) => OffersOfFamily(family == SocketFamily.Unix);

    /// <summary>Why the family cannot be used on this machine, or null where it can.</summary>
    public static string? WhyNot(SocketFamily family) =>
        family == SocketFamily.Tcp6 && !Socket.OSSupportsIPv6 ? "This machine has no IPv6." : null;

    public static void Run(TransportCheck check, SocketFamily family, TestTls? tls = null)
    {
        var directory = Directory.CreateTempSubdirectory("sluice-");
        try
        {
            var stage = new EpollStage(family, directory.FullName) { Tls = tls };
            using var loop = stage.Loop;
            stage.RunToTheEnd(check);
            foreach (var socket in stage._sockets) socket.Dispose();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public override EndPoint CreateListenAddress() => _family switch
    {
        SocketFamily.Tcp4 => new IPEndPoint(IPAddress.Loopback, 0),
        SocketFamily.Tcp6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
        _ => new UnixDomainSocketEndPoint(Path.Combine(_directory, $"{++_paths}")),
    };

    /// <summary>Over loopback a send is there when it returns: what is under way needs passes, not time.</summary>
    public override Task SettleAsync() => PassesAsync(SettlingPasses);

    /// <summary>The kernel's time goes as it goes; the loop's is put forward.</summary>
    internal override Task PassTimeAsync(TimeSpan time)
    {
        _clock.Advance(time);
        return SettleAsync();
    }

    /// <summary>Bound, so that nobody else listens there, and not listening.</summary>
    internal override IPAddress CreateRefusingAddress(int port) => ((IPEndPoint)BindElsewhere(port).LocalEndPoint!).Address;

    /// <summary>A listener whose backlog is full: Linux drops what comes then.</summary>
    internal override IPAddress CreateSilentAddress(int port)
    {
        var listener = BindElsewhere(port);
        listener.Listen(0);
        var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(filler);
        filler.Connect(listener.LocalEndPoint!);
        return ((IPEndPoint)listener.LocalEndPoint!).Address;
    }

    internal override (SafeHandle First, SafeHandle Second) CreateSocketPair()
    {
        var isUnix = _family == SocketFamily.Unix;
        var protocol = isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp;
        var address = CreateListenAddress();
        using var listener = new Socket(address.AddressFamily, SocketType.Stream, protocol);
        listener.Bind(address);
        listener.Listen();
        var first = new Socket(address.AddressFamily, SocketType.Stream, protocol);
        first.Connect(listener.LocalEndPoint!);
        var second = listener.Accept();

        // A socket that nobody holds is closed by its finalizer, perhaps before a transport has taken it over.
        _sockets.AddRange([first, second]);
        return (first.SafeHandle, second.SafeHandle);
    }

    internal override DatagramKit Datagrams { get; }

    internal override (SafeHandle Reader, SafeHandle Writer) CreatePipe() => Backends.Kit.Descriptors.Pipe();

    internal override bool IsChildLeft(int processId) => ProcessFiles.IsChildOfOurs(processId);

    internal override Task AwaitEndUnnoticedAsync(ISubprocessTransport child)
    {
        ProcessFiles.AwaitZombie(child.ProcessId);
        return Task.CompletedTask;
    }

    internal override void StealExitStatus(int processId) => ProcessFiles.Reap(processId);

    internal override void SendSignal(PosixSignal signal) => OwnSignals.Send(signal);

    internal override SafeHandle CreateBoundSocket(EndPoint address, bool listens)
    {
        // By descriptor: a Socket of .NET removes the file that it has bound.
        var fd = Syscalls.System.StreamSocket(NumberOf(address.AddressFamily), out _);
        var handle = new SafeSocketHandle(fd, ownsHandle: true);
        var error = Syscalls.System.Bind(fd, EndPointBytes.Of(address));
        if (error.IsNone && listens) error = Syscalls.System.Listen(fd, 100);
        return error.IsNone ? handle : throw error.ToException("bind");
    }

    internal override EndPoint AddressOf(SafeHandle socket)
    {
        var address = new byte[SocketConstants.MaxAddressLength];
        var length = Syscalls.System.GetLocalName((int)socket.DangerousGetHandle(), address, out _);
        return EndPointBytes.ToEndPoint(address.AsSpan(0, length))!;
    }

    internal override void SetLinger(SafeHandle socket, int seconds) =>
        Syscalls.System.SetLinger((int)socket.DangerousGetHandle(), new LingerValue { OnOff = 1, Seconds = seconds });

    internal override void SetReceiveLowWater(SafeHandle socket, int bytes) => Syscalls.System.SetOption(
        (int)socket.DangerousGetHandle(), SocketConstants.LevelSocket, SocketConstants.OptionReceiveLowWater, bytes);

    internal override UnixDomainSocketEndPoint CreateAbstractAddress() => new($"\0sluice-check-{Guid.NewGuid():N}");

    internal override PeerCredentials Credentials { get; } = CredentialsOfThisProcess();

    internal override void PutFile(string path) => File.WriteAllText(path, "precious");

    internal override void PutStaleSocket(string path) => CreateBoundSocket(new UnixDomainSocketEndPoint(path), listens: true).Dispose();

    internal override void RemoveFile(string path) => File.Delete(path);

    internal override object? IdentityOf(string path)
    {
        var status = Syscalls.System.Status(UnixPath.Of(path), out var error);
        return error.IsNone ? status.Identity : null;
    }

    protected override Task StepAsync() => NextPassAsync();

    private Socket BindElsewhere(int port)
    {
        while (true)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _sockets.Add(socket);
            try
            {
                socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)++_addresses]), port));
                return socket;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another program has it; there are others.
            }
        }
    }

    private static int NumberOf(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => SocketConstants.FamilyInet,
        AddressFamily.InterNetworkV6 => SocketConstants.FamilyInet6,
        _ => SocketConstants.FamilyUnix,
    };

    private static PeerCredentials CredentialsOfThisProcess()
    {
        var (first, second) = SocketPair.Create();
        using (first)
        using (second)
        {
            var identity = Syscalls.System.GetPeerIdentity((int)first.Handle, out _);
            return new PeerCredentials(Environment.ProcessId, identity.UserId, identity.GroupId);
        }
    }

    private void RunToTheEnd(TransportCheck check)
    {
        var isLate = false;
        var performed = Task.CompletedTask;
        try
        {
            Loop.RunUntilComplete(() =>
            {
                Watch(() => isLate = true);
                return performed = check.PerformAsync(this);
            });
        }
        catch (Exception exception) when (!isLate)
        {
            throw new CheckFailedException($"{check.Name}, {_family}: {exception.Message}{Environment.NewLine}{DescribeRecords()}", exception);
        }
        catch (InvalidOperationException) when (!performed.IsCompleted)
        {
            throw new CheckFailedException($"{check.Name}, {_family}, did not end within {Patience}.{Environment.NewLine}{DescribeRecords()}");
        }
    }

    /// <summary>A check may put the clock forward: its patience is that of the machine's.</summary>
    private void Watch(Action late)
    {
        var left = Patience - _clock.Elapsed;
        if (left > TimeSpan.Zero)
        {
            Loop.CallLater(left, () => Watch(late));
            return;
        }

        late();
        Loop.Stop();
    }
}
