using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Sluice.KernelTests.Servers;

/// <summary>A server in a process of its own that really runs out of descriptors. See tests/Programs/LoopPrograms.</summary>
public sealed class StarvedServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact, Case("BUG-038", "SRV-043")]
    public async Task Out_of_descriptors_a_server_turns_peers_away_reports_once_a_second_and_recovers()
    {
        using var program = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Sluice.LoopPrograms.dll"), "starved"])
        {
            RedirectStandardOutput = true,
        })!;
        try
        {
            Assert.Contains("warm-up", await ReadLineAsync(program), StringComparison.Ordinal);
            var address = new IPEndPoint(IPAddress.Loopback, int.Parse(await ReadLineAsync(program), CultureInfo.InvariantCulture));
            var served = FillUp(address);

            // The first was turned away at once; these wait for the end of a rest, and are turned away then.
            Assert.False(IsServed(address));
            Assert.False(IsServed(address));
            var reports = new List<string>();
            for (var i = 0; i < 3; i++) reports.Add(await ReadLineAsync(program));
            served[0].Send("y"u8);
            Assert.Equal(1, served[0].Receive(new byte[1]));
            foreach (var socket in served) socket.Dispose();

            Assert.True(IsServed(address));
            Assert.All(reports, report => Assert.Contains($"Accept is out of system resources: Too many open files at {address}", report, StringComparison.Ordinal));
            var times = reports.ConvertAll(static report => double.Parse(report.Split(' ')[0], CultureInfo.InvariantCulture));
            Assert.True(times[1] - times[0] >= 0.999 && times[2] - times[1] >= 0.999, string.Join(' ', times));
        }
        finally
        {
            program.Kill();
            await program.WaitForExitAsync();
        }

        // Nothing was reported but what was read.
        Assert.Empty(await program.StandardOutput.ReadToEndAsync());
    }

    /// <summary>Clients as long as they are served.</summary>
    private static List<Socket> FillUp(EndPoint address)
    {
        var served = new List<Socket>();
        while (true)
        {
            var socket = Dial(address);
            if (!IsServed(socket))
            {
                socket.Dispose();
                return served;
            }

            served.Add(socket);
            Assert.InRange(served.Count, 1, 1000);
        }
    }

    private static bool IsServed(EndPoint address)
    {
        using var socket = Dial(address);
        return IsServed(socket);
    }

    private static bool IsServed(Socket socket)
    {
        try
        {
            return socket.Receive(new byte[1]) == 1;
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What it had sent was there already when it was turned away.
            return false;
        }
    }

    private static Socket Dial(EndPoint address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
        socket.Connect(address);
        socket.Send("x"u8);
        return socket;
    }

    private static async Task<string> ReadLineAsync(Process program) =>
        await program.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? throw new InvalidOperationException("The program has ended.");
}
