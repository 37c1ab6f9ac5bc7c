using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Sluice.Testing;

/// <summary>
/// A program that checks of child processes start: a script of the shell, and what a simulated shell does in its place. Both do the same.
/// </summary>
/// <param name="Script">What <c>sh -c</c> is given; its arguments are $1 and on.</param>
/// <param name="Simulated">What stands in for it.</param>
internal sealed record StageProgram(string Script, Func<SimulatedProcess, IReadOnlyList<string>, Task<int>> Simulated)
{
    private const PosixSignal UserSignal = (PosixSignal)10;

    /// <summary>Sends back what it gets.</summary>
    public static readonly StageProgram Copy = new("exec cat", static async (process, _) =>
    {
        await process.StandardInput.CopyToAsync(process.StandardOutput);
        return 0;
    });

    /// <summary>Ends with the code $1, without reading or writing.</summary>
    public static readonly StageProgram Exit = new("exit \"$1\"", static (_, arguments) => Task.FromResult(Number(arguments[0])));

    /// <summary>Ends with 7: for a command line, which has no arguments.</summary>
    public static readonly StageProgram ExitWithSeven = new("exit 7", static (_, _) => Task.FromResult(7));

    /// <summary>Writes $1 to its output and $2 to its error, and ends.</summary>
    public static readonly StageProgram Say = new("printf %s \"$1\"; printf %s \"$2\" >&2", static async (process, arguments) =>
    {
        await WriteAsync(process.StandardOutput, arguments[0]);
        await WriteAsync(process.StandardError, arguments[1]);
        return 0;
    });

    /// <summary>Writes $1 bytes, all zero, and ends.</summary>
    public static readonly StageProgram Print = new("exec head -c \"$1\" /dev/zero", static async (process, arguments) =>
    {
        await process.StandardOutput.WriteAsync(new byte[Number(arguments[0])]);
        return 0;
    });

    /// <summary>Writes zeros without an end.</summary>
    public static readonly StageProgram Gush = new("exec cat /dev/zero", static async (process, _) =>
    {
        var zeros = new byte[8192];
        while (true) await process.StandardOutput.WriteAsync(zeros);
    });

    /// <summary>Says that it is ready, and stays without reading.</summary>
    public static readonly StageProgram Stay = new("echo ready; exec sleep 1000", static async (process, _) =>
    {
        await WriteAsync(process.StandardOutput, "ready\n");
        await new TaskCompletionSource().Task;
        return 0;
    });

    /// <summary>Says that it is ready, and survives being asked to end.</summary>
    public static readonly StageProgram Stubborn = new("trap '' TERM; echo ready; exec sleep 1000", static async (process, _) =>
    {
        process.Loop.AddSignalHandler(PosixSignal.SIGTERM, static () => { });
        await WriteAsync(process.StandardOutput, "ready\n");
        await new TaskCompletionSource().Task;
        return 0;
    });

    /// <summary>Says its number.</summary>
    public static readonly StageProgram SayNumber = new("printf %s $$", static async (process, _) =>
    {
        await WriteAsync(process.StandardOutput, process.ProcessId.ToString(CultureInfo.InvariantCulture));
        return 0;
    });

    /// <summary>Says where it was started, and what the variable SLUICE_CHILD is.</summary>
    public static readonly StageProgram SayPlace = new("printf '%s|%s' \"$PWD\" \"${SLUICE_CHILD-none}\"", static async (process, _) =>
    {
        await WriteAsync(process.StandardOutput, $"{process.WorkingDirectory}|{process.Environment.GetValueOrDefault("SLUICE_CHILD", "none")}");
        return 0;
    });

    /// <summary>
    /// Says that it is ready, then repeats each line: to its error where it begins with "error ", to its output otherwise. "stop N" ends it with the code N. Its handler
    /// of the first user signal says "caught".
    /// </summary>
    public static readonly StageProgram Interactive = new(
        """
        trap 'echo caught; again=1' USR1
        echo ready
        while :; do
          again=
          if read -r line; then
            case "$line" in
              "stop "*) exit "${line#stop }" ;;
              "error "*) echo "${line#error }" >&2 ;;
              *) echo "$line" ;;
            esac
          elif [ -z "$again" ]; then exit 1
          fi
        done
        """,
        RunInteractiveAsync);

    /// <summary>The child of <see cref="Leave"/>.</summary>
    private static readonly StageProgram Stayer = new("cat >/dev/null; echo later", static async (process, _) =>
    {
        await process.StandardInput.CopyToAsync(Stream.Null);
        await WriteAsync(process.StandardOutput, "later\n");
        return 0;
    });

    /// <summary>
    /// Starts a child that has all its streams, says that it is ready, and ends with 3. The child lives on until their input ends; then it says "later".
    /// </summary>
    public static readonly StageProgram Leave = new("exec 3<&0; (cat <&3 >/dev/null; echo later) & echo ready; exit 3", static async (process, _) =>
    {
        await Subprocess.StartAsync("sh", ["-c", Stayer.Script]);
        await WriteAsync(process.StandardOutput, "ready\n");
        return 3;
    });

    private static readonly StageProgram[] All =
        [Copy, Exit, ExitWithSeven, Say, Print, Gush, Stay, Stubborn, SayNumber, SayPlace, Interactive, Leave, Stayer];

    /// <summary>What the shell of a simulated host does.</summary>
    public static Task<int> RunShell(SimulatedProcess process)
    {
        var script = process.Arguments[1];
        return All.First(program => program.Script == script).Simulated(process, [.. process.Arguments.Skip(3)]);
    }

    /// <summary>The shell's arguments to run it.</summary>
    public string[] Arguments(params string[] arguments) => ["-c", Script, "program", .. arguments];

    private static async Task<int> RunInteractiveAsync(SimulatedProcess process, IReadOnlyList<string> arguments)
    {
        // A shell that waits for input handles a signal at once; both write in turns.
        var waiting = Task.CompletedTask;
        process.Loop.AddSignalHandler(UserSignal, () => waiting = Behind(waiting, "caught\n"));
        await WriteAsync(process.StandardOutput, "ready\n");
        using var lines = new StreamReader(process.StandardInput);
        while (await lines.ReadLineAsync() is { } line)
        {
            await waiting;
            if (line.StartsWith("stop ", StringComparison.Ordinal)) return Number(line["stop ".Length..]);
            if (line.StartsWith("error ", StringComparison.Ordinal)) await WriteAsync(process.StandardError, line["error ".Length..] + "\n");
            else await WriteAsync(process.StandardOutput, line + "\n");
        }

        return 1;

        async Task Behind(Task before, string text)
        {
            await before;
            await WriteAsync(process.StandardOutput, text);
        }
    }

    private static ValueTask WriteAsync(Stream stream, string text) => stream.WriteAsync(Encoding.UTF8.GetBytes(text));

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
