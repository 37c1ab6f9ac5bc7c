using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;
using Sluice.Transports;

namespace Sluice.Subprocesses;

/// <summary>
/// A child with asyncio's semantics: up to three pipe transports and the watch over its end, and whom they tell. It owns no descriptor. Lives on the loop's
/// thread.
/// </summary>
/// <remarks>
/// <code>
/// Opening --its turn--> Running --ended, and all pipes lost--> Ending --its turn--> Lost (ConnectionLost was called)
///      --given up--> GivenUp (killed; no callback) --ended--> Lost
/// </code>
/// The end of the child is known at once (ReturnCode) and told in a turn of its own: it may come before the turn of ConnectionMade, which is queued ahead.
/// </remarks>
internal sealed class SubprocessTransport : ISubprocessTransport, IExitSink, ILoopWork, IExtraInfoSource
{
    /// <summary>What the return code is where somebody else has asked the kernel for it: as in asyncio.</summary>
    private const int UnknownReturnCode = 255;

    private const int TerminateSignal = 15;
    private const int KillSignal = 9;

    private readonly LoopCore _loop;
    private readonly SubprocessOrigin _origin;
    private readonly SubprocessBinding _binding;
    private readonly ConnectionSet _pipes;
    private readonly ChildProcess _child;
    private readonly WritePipeTransport? _input;
    private readonly ReadPipeTransport? _output;
    private readonly ReadPipeTransport? _error;
    private SubprocessInfo? _info;
    private Life _life;
    private bool _isClosing;

    /// <summary>Starts the child. Its ConnectionMade comes in a later turn.</summary>
    /// <exception cref="IOException">As <see cref="IoBackend.Spawn"/> says; the protocol is as it was.</exception>
    public SubprocessTransport(LoopCore loop, SpawnRequest request, SubprocessProtocol protocol, in SubprocessOrigin origin)
    {
        _loop = loop;
        _origin = origin;
        _pipes = new ConnectionSet(EndIfOver);
        _binding = new SubprocessBinding(loop, origin.Context, this);
        _child = loop.Backend.Spawn(request, this);
        loop.OpenChannels++;
        origin.Set.Add(this);
        _binding.Bind(protocol);

        // Their own births come first: a pipe that is closed in ConnectionMade has been made and is lost like any other.
        var pipe = new TransportOrigin(_pipes, new ConnectionOptions { MaxWriteBufferSize = origin.MaxWriteBufferSize }, origin.Context, null);
        if (_child.Pipes[0] is { } input) _input = new WritePipeTransport(loop, input, new InputPipe(_binding), pipe, null);
        if (_child.Pipes[1] is { } output) _output = new ReadPipeTransport(loop, output, new OutputPipe(_binding, 1), pipe, null);
        if (_child.Pipes[2] is { } error) _error = new ReadPipeTransport(loop, error, new OutputPipe(_binding, 2), pipe, null);
        loop.Enqueue(this, Turn.Start);
    }

    private enum Life
    {
        Opening,
        Running,
        Ending,
        GivenUp,
        Lost,
    }

    public int ProcessId => _child.Id;

    public int? ReturnCode { get; private set; }

    public IWriteTransport? StandardInput => _input;

    public IReadTransport? StandardOutput => _output;

    public IReadTransport? StandardError => _error;

    public bool IsClosing => _isClosing;

    public BaseProtocol? Protocol => _binding.Protocol;

    public void Close()
    {
        _loop.VerifyThread();
        if (_isClosing) return;
        _isClosing = true;
        if (_life != Life.Lost) Cut();
    }

    public void SendSignal(PosixSignal signal)
    {
        var number = SignalNumber.Of(signal);
        if (number == 0) throw new ArgumentOutOfRangeException(nameof(signal), signal, "There is no such signal.");
        Send(number);
    }

    public void Terminate() => Send(TerminateSignal);

    public void Kill() => Send(KillSignal);

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value) => ExtraInfoLookup.TryGet(this, key, out value);

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => TryGetExtraInfo(key, out var value) ? value : null;

    public object? GetExtraInfo(string name, object? defaultValue = null) => ExtraInfoLookup.Get(this, name, defaultValue);

    public override string ToString() => ReturnCode is { } code
        ? $"<SubprocessTransport pid={ProcessId} returncode={code}>"
        : $"<SubprocessTransport pid={ProcessId} running>";

    /// <summary>Its live pipes.</summary>
    public StreamTransport[] Pipes() => _pipes.Snapshot();

    /// <summary>Before ConnectionMade: the child is killed, and no callback comes. The waiter hears when it has ended.</summary>
    public void GiveUp()
    {
        if (_life != Life.Opening) return;
        _life = Life.GivenUp;
        _isClosing = true;
        _binding.Release();
        foreach (var pipe in Pipes()) pipe.Abandon(reset: true);
        KillUnlessEnded();
        if (ReturnCode is not null) FinishGivenUp();
    }

    /// <summary>At the loop's end: a child that runs is killed, and its callbacks still come.</summary>
    public void EndWithLoop()
    {
        GiveUp();
        if (_life is Life.Lost or Life.GivenUp) return;
        if (_loop.Debug && !_isClosing) _loop.Errors.LogNeverClosed(this);
        Close();
    }

    object? IExtraInfoSource.FindExtraInfo(string name) =>
        name == ExtraInfo.Subprocess.Name ? _info ??= new SubprocessInfo(this, _origin.Info.Program, _origin.Info.Arguments) : null;

    void IExitSink.OnExited(int? returnCode)
    {
        if (returnCode is null)
        {
            _loop.Errors.LogWarning($"The exit status of process {ProcessId} was taken by another part of this program: its return code is given as {UnknownReturnCode}.");
        }

        ReturnCode = returnCode ?? UnknownReturnCode;
        _loop.OpenChannels--;
        if (_life == Life.GivenUp) FinishGivenUp();
        else _loop.Enqueue(this, Turn.Exited);
        _loop.EndStep();
    }

    void ILoopWork.Run(int code)
    {
        switch (code)
        {
            case Turn.Start:
                if (_life != Life.Opening) break;
                _life = Life.Running;
                _binding.ConnectionMade();
                _origin.Waiter.OnStarted();
                EndIfOver();
                break;
            case Turn.Exited:
                _binding.ProcessExited();
                EndIfOver();
                break;
            case Turn.Lost:
                _binding.ConnectionLost();
                _binding.Release();
                _life = Life.Lost;
                _origin.Set.Remove(this);
                break;
        }
    }

    private void Send(int number)
    {
        _loop.VerifyThread();
        if (ReturnCode is not null || !_child.TrySignal(number)) throw new ProcessLookupException(ProcessId);
    }

    /// <summary>The child ends, and nothing more goes between us and it. Killed first: the end of its pipes could end it otherwise.</summary>
    private void Cut()
    {
        KillUnlessEnded();
        _input?.Abort();
        _output?.Close();
        _error?.Close();
    }

    private void KillUnlessEnded()
    {
        if (ReturnCode is not null || _child.HasEnded) return;
        try
        {
            _child.TrySignal(KillSignal);
        }
        catch (UnauthorizedAccessException exception)
        {
            _loop.Errors.LogWarning($"{this} was closed and lives on: {exception.Message}");
        }
    }

    /// <summary>The last of the end of the child and those of its pipes has come.</summary>
    private void EndIfOver()
    {
        if (_life != Life.Running || ReturnCode is null || _pipes.Count > 0) return;
        _life = Life.Ending;
        _loop.Enqueue(this, Turn.Lost);
    }

    private void FinishGivenUp()
    {
        if (_life != Life.GivenUp) return;
        _life = Life.Lost;
        _origin.Set.Remove(this);
        _origin.Waiter.OnGivenUp();
    }

    /// <summary>The kinds of turn that it queues for itself.</summary>
    private static class Turn
    {
        public const int Start = 0;
        public const int Exited = 1;
        public const int Lost = 2;
    }
}
