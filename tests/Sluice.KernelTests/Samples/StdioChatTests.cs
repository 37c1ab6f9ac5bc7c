using System.Text;
using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Samples;

/// <summary>The sample that talks over its standard streams, over each kind of them.</summary>
public sealed class StdioChatTests
{
    private const string Refusal = "StdioChat talks to terminals and pipes, not to files";

    [Fact]
    public async Task It_answers_over_pipes_until_the_end_of_its_input()
    {
        using var chat = SampleProcess.Start("StdioChat");
        await chat.ReadLineAsync("Who are you?");
        await chat.Input.WriteAsync("Ada\n");
        await chat.Input.FlushAsync();
        Assert.Equal("Hello, Ada. Tell me more.", await chat.ReadLineAsync("Hello"));
        await chat.Input.WriteAsync("grün");
        chat.Input.Close();

        var result = await chat.EndAsync();
        result.AssertSuccess();
        Assert.Equal(["Ada, that was 4 letters: GRÜN", "Goodbye, Ada. I have heard 2 lines."], result.Output);
    }

    [Fact]
    public async Task It_talks_over_a_terminal_and_ends_with_Ctrl_D()
    {
        var (master, slave) = Descriptors.Terminal(raw: false);
        using (master)
        using (slave)
        {
            var path = Descriptors.PathOf(slave);
            using var chat = SampleProcess.StartInShell("StdioChat", $"<>{path} 1>&0", afterwards: "grep flags /proc/self/fdinfo/0 >&2");
            await ReadUntilAsync(master, "Who are you?");
            Descriptors.Write(master, "Ada\n"u8);
            await ReadUntilAsync(master, "Hello, Ada.");
            Descriptors.Write(master, "\u0004"u8);
            await ReadUntilAsync(master, "Goodbye, Ada. I have heard 1 lines.");

            // The terminal is the shell's too, which must find it as it was: octal 4000 would be O_NONBLOCK.
            var result = await chat.EndAsync();
            Assert.Equal(0, result.ExitCode);
            var flags = Convert.ToInt32(Assert.Single(result.Errors).Split(':')[1].Trim(), 8);
            Assert.Equal(0, flags & Convert.ToInt32("4000", 8));
        }
    }

    [Fact]
    public async Task It_ends_at_once_with_an_empty_device_and_says_so_into_another()
    {
        using var chat = SampleProcess.StartInShell("StdioChat", "</dev/null");
        var result = await chat.EndAsync();
        result.AssertSuccess();
        Assert.Equal(["Who are you?", "Goodbye. I have heard 0 lines."], result.Output);

        using var silent = SampleProcess.StartInShell("StdioChat", "</dev/null >/dev/null");
        (await silent.EndAsync()).AssertSuccess();
    }

    [Theory]
    [InlineData("</etc/passwd")]
    [InlineData("</dev/null >answers")]
    public async Task It_refuses_files_and_says_what_to_do(string redirections)
    {
        var folder = Directory.CreateTempSubdirectory("sluice-");
        using var chat = SampleProcess.StartInShell("StdioChat", redirections, folder.FullName);
        var result = await chat.EndAsync();
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith(Refusal, Assert.Single(result.Errors), StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task It_ends_in_order_with_Ctrl_C()
    {
        using var chat = SampleProcess.Start("StdioChat");
        await chat.ReadLineAsync("Who are you?");
        chat.Interrupt();
        var result = await chat.EndAsync();
        Assert.Equal(130, result.ExitCode);
        Assert.Equal([""], result.Errors);
    }

    [Fact]
    public async Task It_ends_when_nobody_reads_what_it_says()
    {
        using var chat = SampleProcess.Start("StdioChat");
        await chat.ReadLineAsync("Who are you?");
        chat.CloseOutput();
        (await chat.EndAsync()).AssertSuccess();
    }

    // Off the test's thread: a terminal that stays silent must not hang the test for ever.
    private static Task ReadUntilAsync(Microsoft.Win32.SafeHandles.SafeFileHandle terminal, string text) => Task.Run(() =>
    {
        var seen = "";
        while (!seen.Contains(text, StringComparison.Ordinal)) seen += Encoding.UTF8.GetString(Descriptors.Read(terminal));
    }).WaitAsync(TimeSpan.FromSeconds(30));
}
