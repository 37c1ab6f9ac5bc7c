using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.KernelTests.Peers;
using Sluice.Native;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Descriptors that belong to others: watched or merely there while loops come and go.</summary>
public sealed partial class ForeignDescriptorTests
{
    private const int GetDescriptorFlags = 1;
    private const int GetStatusFlags = 3;

    [Fact, Case("BUG-089")]
    public void Their_flags_stay_as_they_are()
    {
        var pipe = new int[2];
        Assert.Equal(0, MakePipe(pipe));
        using var reader = new SafeFileHandle(pipe[0], ownsHandle: true);
        using var writer = new SafeFileHandle(pipe[1], ownsHandle: true);
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var descriptors = (int[])[pipe[0], pipe[1], (int)listener.Handle];
        var before = Array.ConvertAll(descriptors, FlagsOf);

        PeerRun.OnLoop(
            async loop =>
            {
                var readable = loop.CreateFuture();
                loop.AddReader(reader, () => readable.TrySetResult());
                loop.AddWriter(writer, () => { });
                loop.AddReader(listener, () => { });
                await using var server = await loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Loopback, 0));
                var (transport, client) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), server.EndPoints[0]);
                transport.Write("hello"u8);
                await client.WaitForBytesAsync(5);
                Assert.True(Syscalls.System.Signal(pipe[1]).IsNone);
                await readable.Task;
                loop.RemoveReader(reader);
                loop.RemoveWriter(writer);
                loop.RemoveReader(listener);
                transport.Close();
            });

        Assert.Equal(before, Array.ConvertAll(descriptors, FlagsOf));
    }

    [Fact, Case("UNIX-015")]
    public void A_Unix_clients_socket_is_one_object_and_its_descriptor_cannot_be_watched()
    {
        var folder = Directory.CreateTempSubdirectory("sluice-");
        PeerRun.OnLoop(
            async loop =>
            {
                await using var server = await loop.CreateUnixServerAsync(RecordingProtocol.Echo, Path.Combine(folder.FullName, "socket"));
                var (transport, client) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), server.EndPoints[0]);
                var socket = transport.GetExtraInfo(ExtraInfo.Socket)!;
                Assert.Equal(AddressFamily.Unix, socket.AddressFamily);
                Assert.Same(socket, transport.GetExtraInfo(ExtraInfo.Socket));
                using var handle = new SafeFileHandle(socket.Handle, ownsHandle: false);
                foreach (var act in (Action[])
                    [
                        () => loop.AddReader(handle, () => { }), () => loop.AddWriter(handle, () => { }),
                        () => loop.RemoveReader(handle), () => loop.RemoveWriter(handle),
                    ])
                {
                    Assert.Throws<InvalidOperationException>(act);
                }

                transport.Close();
                await client.Lost;
            });
        folder.Delete(recursive: true);
    }

    private static (int Descriptor, int Status) FlagsOf(int fd) => (Control(fd, GetDescriptorFlags, 0), Control(fd, GetStatusFlags, 0));

    [LibraryImport("libc", EntryPoint = "pipe")]
    private static partial int MakePipe([Out] int[] pair);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int fd, int command, int argument);
}
