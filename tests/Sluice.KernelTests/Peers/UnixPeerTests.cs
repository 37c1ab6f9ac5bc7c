using System.Runtime.Versioning;
using Sluice.KernelTests.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>Unix peers that only another process can be: another user, and one that sends descriptors. Descriptors are counted, hence alone.</summary>
[Collection(nameof(CostTests))]
[SupportedOSPlatform("linux")]
public sealed class UnixPeerTests : IDisposable
{
    private const uint Nobody = 65534;
    private const UnixFileMode ForAll = (UnixFileMode)0b110_110_110;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

    private string SocketPath => Path.Combine(_folder.FullName, "socket");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact, Case("BUG-080")]
    public void Another_user_finds_no_moment_at_which_it_can_connect()
    {
        OpenFolderForStrangers();
        PeerRun.OnLoop(async loop =>
        {
            using var stranger = PeerProcess.Python("unix_peer.py", "stranger", SocketPath);
            Assert.Equal("ready", await stranger.ReadLineAsync());
            var firstDenial = stranger.ReadLineAsync();
            for (var i = 0; i < 2_000 || !firstDenial.IsCompleted; i++)
            {
                var server = await loop.CreateUnixServerAsync(RecordingProtocol.Echo, SocketPath);
                await Task.Yield();
                server.Close();
            }

            Assert.Equal("denied", await firstDenial);
            stranger.Input.WriteLine();
            var counts = (await stranger.ReadToEndAsync()).Split(' ');
            Assert.Equal("0", counts[5]);
        });
    }

    [Fact, Case("UNIX-024", "UNIX-025")]
    public void Another_user_is_served_where_mode_and_filter_let_it_in()
    {
        OpenFolderForStrangers();
        PeerRun.OnLoop(async loop =>
        {
            PeerCredentials? seen = null;
            foreach (var admits in (bool[])[true, false])
            {
                var options = new ServerOptions
                {
                    UnixSocketMode = ForAll,
                    UnixPeerFilter = peer =>
                    {
                        seen = peer;
                        return admits;
                    },
                };
                await using var server = await loop.CreateUnixServerAsync(RecordingProtocol.Echo, SocketPath, options);
                Assert.Equal(admits ? "served 5" : "closed", await KnockAsync(SocketPath));
                Assert.Equal((Nobody, Nobody), (seen!.UserId, seen.GroupId));
                Assert.NotEqual(Environment.ProcessId, seen.ProcessId);
            }
        });
    }

    [Fact, Case("UNIX-025")]
    public void At_an_abstract_name_another_user_is_admitted_by_a_filter_only()
    {
        OpenFolderForStrangers();
        PeerRun.OnLoop(async loop =>
        {
            var name = $"sluice-{Guid.NewGuid():N}";
            foreach (var filter in (Func<PeerCredentials, bool>?[])[null, static peer => peer.UserId == Nobody])
            {
                await using var server = await loop.CreateUnixServerAsync(RecordingProtocol.Echo, "\0" + name, new ServerOptions { UnixPeerFilter = filter });
                Assert.Equal(filter is null ? "closed" : "served 5", await KnockAsync("@" + name));
            }
        });
    }

    [Theory, Case("BUG-082")]
    [InlineData(false)]
    [InlineData(true)]
    public void Descriptors_that_a_peer_sends_are_received_by_nobody(bool isBuffered)
    {
        const int Messages = 20;
        PeerRun.OnLoop(async loop =>
        {
            var plain = new RecordingProtocol();
            var buffered = new RecordingBufferedProtocol();
            var record = isBuffered ? buffered.Record : plain.Record;
            await using var server = await loop.CreateUnixServerAsync(() => isBuffered ? buffered : plain, SocketPath);
            using var peer = PeerProcess.Python("unix_peer.py", "descriptors", SocketPath, $"{Messages}");
            await record.WaitForBytesAsync(1);
            var whileOpen = Bytes.OpenDescriptors();
            Assert.Equal("freed", await peer.ReadToEndAsync());
            await record.Lost;
            Assert.Equal(Messages, record.Received.Length);
            Assert.True(Bytes.OpenDescriptors() <= whileOpen);
        });
    }

    private static async Task<string> KnockAsync(string address)
    {
        using var stranger = PeerProcess.Python("unix_peer.py", "knock", address);
        return await stranger.ReadToEndAsync();
    }

    private void OpenFolderForStrangers()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root can act as another user.");
        File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
    }
}
