using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Subprocesses.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Subprocesses;

/// <summary>What a child gets from this process, as the child itself sees it.</summary>
[SupportedOSPlatform("linux")]
public sealed class SpawnTests
{
    private static readonly string[] ListDescriptors = ["-c", "ls /proc/$$/fd"];

    [Fact, Case("SUB-047"), Case("BUG-088")]
    public void A_child_has_its_standard_streams_and_nothing_else_of_ours()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var leaky = Native.Syscalls.System.DuplicateFrom((int)listener.Handle, 100, out _);
        using var leak = new SafeFileHandle(leaky, ownsHandle: true);
        Assert.Equal(0, Inheritance.MakeInheritable(leaky));

        PeerRun.OnLoop(async _ =>
        {
            var result = await Subprocess.RunAsync("sh", ListDescriptors);
            Assert.Equal("0\n1\n2\n", result.GetOutputText());
        });
    }

    [Theory, Case("SUB-066")]
    [InlineData("communicate")]
    [InlineData("stream")]
    [InlineData("protocol")]
    public void Input_goes_on_to_a_grandchild_when_the_child_has_ended(string way) => PeerRun.OnLoop(async loop =>
    {
        const int Length = 1_000_000;
        var path = Path.GetTempFileName();

        // The shell has ended long before its own child begins to read; the count is there when that one has read all.
        string[] arguments = ["-c", "exec 3<&0; { read go < \"$0.go\"; wc -c <&3 > \"$0\"; echo over > \"$0.over\"; } & exit 0", path];
        await Subprocess.RunAsync("mkfifo", [path + ".go", path + ".over"]);
        var options = new SubprocessOptions { StandardInput = SubprocessStream.Pipe, StandardOutput = SubprocessStream.Null, StandardError = SubprocessStream.Null };
        if (way == "protocol")
        {
            var (transport, protocol) = await loop.SubprocessExecAsync(static () => new RecordingSubprocessProtocol(), "sh", arguments, options);
            transport.StandardInput!.Write(new byte[Length]);
            await protocol.Exited;
            transport.StandardInput.WriteEof();
            await ReleaseAsync();
        }
        else
        {
            await using var child = await Subprocess.StartAsync("sh", arguments, options);
            var feeding = way == "communicate" ? child.CommunicateAsync(new byte[Length]) : FeedAsync(child);
            await child.WaitAsync();
            await ReleaseAsync();
            await feeding;
        }

        Assert.Equal($"{Length}", File.ReadAllText(path).Trim());
        foreach (var file in (string[])[path, path + ".go", path + ".over"]) File.Delete(file);

        async Task ReleaseAsync()
        {
            await Subprocess.RunAsync("sh", ["-c", "echo go > \"$0\"", path + ".go"]);
            await Subprocess.RunAsync("cat", [path + ".over"]);
        }

        static async Task FeedAsync(Subprocess child)
        {
            await child.StandardInput!.WriteAsync(new byte[Length]);
            await child.StandardInput.DisposeAsync();
        }
    });

    [Fact, Case("SUB-047"), Case("BUG-088")]
    public async Task Two_loops_that_start_children_at_once_give_none_the_other_s_pipes()
    {
        using var first = EventLoop.Start();
        using var second = EventLoop.Start();
        await Task.WhenAll(first.InvokeAsync(Start), second.InvokeAsync(Start)).WaitAsync(TimeSpan.FromSeconds(60));

        static async Task Start()
        {
            for (var i = 0; i < 40; i++)
            {
                // A copy of the other's pipe in this child would keep cat from seeing the end.
                var copy = Subprocess.RunAsync("cat", [], "x"u8.ToArray());
                var list = Subprocess.RunAsync("sh", ListDescriptors);
                Assert.Equal("0\n1\n2\n", (await list).GetOutputText());
                Assert.Equal("x", (await copy).GetOutputText());
            }
        }
    }

    [Fact, Case("SUB-035")]
    public void Extra_descriptors_arrive_under_their_numbers()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "from the file");
        using (var file = File.OpenHandle(path))
        {
            PeerRun.OnLoop(async _ =>
            {
                var options = new SubprocessOptions { ExtraDescriptors = new Dictionary<int, SafeHandle> { [3] = file, [7] = file } };
                var result = await Subprocess.RunAsync("sh", ["-c", "ls /proc/$$/fd; cat <&7"], options: options);
                Assert.Equal("0\n1\n2\n3\n7\nfrom the file", result.GetOutputText());
                Assert.False(file.IsClosed);
            });
        }

        File.Delete(path);
    }

    [Fact, Case("SUB-034")]
    public void Output_can_go_to_an_open_file()
    {
        var path = Path.GetTempFileName();
        using (var file = new FileStream(path, FileMode.Create))
        {
            file.Write("begun, "u8);
            PeerRun.OnLoop(async _ =>
            {
                var options = new SubprocessOptions { StandardOutput = SubprocessStream.To(file), StandardError = SubprocessStream.To(file.SafeFileHandle) };
                await using var child = await Subprocess.StartAsync("sh", ["-c", "printf out,; printf err >&2; exit 9"], options);
                Assert.Equal(9, await child.WaitAsync());
            });
        }

        Assert.Equal("begun, out,err", File.ReadAllText(path));
        File.Delete(path);
    }

    [Fact, Case("SUB-027")]
    public void Another_file_can_run_under_the_name_of_the_program() => PeerRun.OnLoop(async _ =>
    {
        var options = new SubprocessOptions { Executable = "/bin/sh" };
        var result = await Subprocess.RunAsync("a name of its own", ["-c", "tr '\\0' '\\n' </proc/$$/cmdline"], options: options);
        Assert.StartsWith("a name of its own\n-c\n", result.GetOutputText(), StringComparison.Ordinal);
        await using var shell = await Subprocess.StartShellAsync("exit 5", new SubprocessOptions { Executable = "/bin/bash" });
        Assert.Equal(5, await shell.WaitAsync());
    });

    [Fact, Case("SUB-028")]
    public void Arguments_and_paths_arrive_as_they_are() => PeerRun.OnLoop(async _ =>
    {
        string[] arguments = ["", " two  words ", "$HOME; `x` 'y' \"z\"", "-n", "über/日本", new string('x', 100_000)];
        var result = await Subprocess.RunAsync(new FileInfo("/bin/sh").FullName, ["-c", "printf '[%s]' \"$@\"", "sh", .. arguments]);
        Assert.Equal(string.Concat(arguments.Select(static argument => $"[{argument}]")), result.GetOutputText());
    });

    [Fact, Case("BUG-090")]
    public void An_empty_environment_is_empty_and_a_given_one_is_all() => PeerRun.OnLoop(async _ =>
    {
        var empty = await Subprocess.RunAsync("env", [], options: new SubprocessOptions { Environment = new Dictionary<string, string>() });
        Assert.Equal("", empty.GetOutputText());
        var given = await Subprocess.RunAsync("env", [], options: new SubprocessOptions { Environment = new Dictionary<string, string> { ["A"] = "b=c", ["E"] = "" } });
        Assert.Equal(["A=b=c", "E="], given.GetOutputText().Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());

        Environment.SetEnvironmentVariable("SLUICE_SPAWN_TEST", "set since the start");
        var inherited = await Subprocess.RunAsync("sh", ["-c", "echo $SLUICE_SPAWN_TEST"]);
        Assert.Equal("set since the start\n", inherited.GetOutputText());
        Environment.SetEnvironmentVariable("SLUICE_SPAWN_TEST", null);
    });

    [Fact, Case("SUB-037")]
    public void A_child_can_have_a_session_or_a_process_group_of_its_own() => PeerRun.OnLoop(async _ =>
    {
        Assert.Equal("own session, own group, 3", await TellAsync(new SubprocessOptions { NewSession = true }));
        Assert.Equal("our session, own group, 3", await TellAsync(new SubprocessOptions { ProcessGroup = 0 }));
        Assert.Equal("our session, our group, 3", await TellAsync(new SubprocessOptions()));

        static async Task<string> TellAsync(SubprocessOptions options)
        {
            await using var child = await Subprocess.StartAsync("sh", ["-c", "cat /proc/$$/stat; exit 3"], options with { StandardOutput = SubprocessStream.Pipe });
            var result = await child.CommunicateAsync();
            var fields = result.GetOutputText().Split(' ');
            var (id, group, session) = (fields[0], fields[4], fields[5]);
            return $"{(session == id ? "own" : "our")} session, {(group == id ? "own" : "our")} group, {result.ReturnCode}";
        }
    });

    [Fact, Case("SUB-001")]
    public void It_blocks_and_ignores_no_signal_and_its_input_is_a_pipe() => PeerRun.OnLoop(async _ =>
    {
        var result = await Subprocess.RunAsync("sh", ["-c", "grep -E 'SigBlk|SigIgn' /proc/self/status; cat /dev/stdin"], "through /dev/stdin"u8.ToArray());
        var lines = result.GetOutputText().Split('\n');
        Assert.Equal(0UL, Convert.ToUInt64(lines[0].Split('\t')[1], 16));
        // SIGPIPE, which .NET ignores.
        Assert.Equal(0UL, Convert.ToUInt64(lines[1].Split('\t')[1], 16) & (1UL << 12));
        Assert.Equal("through /dev/stdin", lines[2]);
    });

    [Fact, Case("SUB-020")]
    public void What_cannot_be_started_says_why() => PeerRun.OnLoop(async _ =>
    {
        var folder = Directory.CreateTempSubdirectory("sluice-");
        var script = Path.Combine(folder.FullName, "script");
        File.WriteAllText(script, "#!/sluice/no-such-interpreter\n");
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Subprocess.RunAsync(script, []));
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => Subprocess.RunAsync(folder.FullName, []));
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var missing = await Assert.ThrowsAsync<FileNotFoundException>(() => Subprocess.RunAsync(script, []));
        Assert.Contains("interpreter", missing.Message, StringComparison.Ordinal);
        File.Delete(script);
        File.WriteAllBytes(script, [1, 2, 3]);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await Assert.ThrowsAsync<IOException>(() => Subprocess.RunAsync(script, []));

        var nowhere = new SubprocessOptions { WorkingDirectory = Path.Combine(folder.FullName, "nowhere") };
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => Subprocess.RunAsync("true", [], options: nowhere));
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() => Subprocess.RunAsync("/sluice/no-such-program", [], options: nowhere));
        var tooLong = await Assert.ThrowsAsync<IOException>(() => Subprocess.RunAsync("true", [new string('x', 4 << 20)]));
        Assert.Equal(7, tooLong.HResult);
        folder.Delete(recursive: true);
    });

    [Fact, Case("SUB-026")]
    public void A_relative_path_counts_from_the_child_s_directory() => PeerRun.OnLoop(async _ =>
    {
        var result = await Subprocess.RunAsync("./sh", ["-c", "pwd"], options: new SubprocessOptions { WorkingDirectory = "/bin" });
        Assert.Equal(0, result.ReturnCode);
    });
}
