namespace Sluice.Testing.Kits;

/// <summary>What checks of child processes ask of their stage: children that are judged, and that leave nothing behind. Owned by the stage.</summary>
/// <param name="loop">The stage's.</param>
/// <param name="isLeft">Whether a process that the stage's program has started runs still or is a zombie.</param>
internal sealed class ChildKit(EventLoop loop, Func<int, bool> isLeft)
{
    public const string Shell = "/bin/sh";

    private readonly List<RecordingSubprocessProtocol> _records = [];
    private readonly List<int> _numbers = [];

    public IEnumerable<string> Violations => _records.SelectMany(static record => record.Violations);

    /// <summary>Starts a program with a recording protocol.</summary>
    public Task<RecordingSubprocessProtocol> StartAsync(StageProgram program, params string[] arguments) => StartAsync(null, null, program, arguments);

    /// <summary>Starts a program with a protocol of the check's, if there is one.</summary>
    public async Task<RecordingSubprocessProtocol> StartAsync(
        RecordingSubprocessProtocol? protocol, SubprocessOptions? options, StageProgram program, params string[] arguments)
    {
        var (transport, recording) = await loop.SubprocessExecAsync(() => Watch(protocol ?? new RecordingSubprocessProtocol()), Shell, program.Arguments(arguments), options);
        Check.That(ReferenceEquals(transport, recording.Transport), "ConnectionMade had another transport");
        return recording;
    }

    /// <summary>Starts a program with streams.</summary>
    public async Task<Subprocess> OpenAsync(SubprocessOptions? options, StageProgram program, params string[] arguments)
    {
        var child = await Subprocess.StartAsync(Shell, program.Arguments(arguments), options);
        _numbers.Add(child.ProcessId);
        return child;
    }

    /// <summary>Runs a program to its end.</summary>
    public Task<SubprocessResult> RunAsync(StageProgram program, byte[]? input, params string[] arguments)
    {
        Check.That(EventLoop.Current == loop);
        return Subprocess.RunAsync(Shell, program.Arguments(arguments), input);
    }

    public RecordingSubprocessProtocol Watch(RecordingSubprocessProtocol protocol)
    {
        _records.Add(protocol);
        return protocol;
    }

    public string Describe() => string.Join(Environment.NewLine, _records.Select(static (record, i) => $"child {i}: {record}"));

    /// <summary>Closes what a check left, and verifies that nothing of any child stays.</summary>
    public async Task CloseAsync()
    {
        foreach (var record in _records.Where(static record => record.IsMade))
        {
            record.Transport.Close();
            await record.Lost;
            _numbers.Add(record.Transport.ProcessId);
        }

        foreach (var number in _numbers) Check.That(!isLeft(number), $"process {number} was left behind");
    }
}
