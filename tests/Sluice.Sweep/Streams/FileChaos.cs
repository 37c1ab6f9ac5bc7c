using System.Net.Sockets;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Streams;

/// <summary>
/// Sends parts of a real file over one end, by the kernel alone, and gives some of them up. Owned by the end's chaos; what the kernel has taken of a
/// file shows in the end's model.
/// </summary>
internal sealed class FileChaos(End end)
{
    private const int EINVAL = 22;
    private const int EIO = 5;
    private const int ECONNRESET = 104;
    private static readonly int[] Errors = [EINVAL, EIO, ECONNRESET];

    private readonly EndModel _model = end.Model;
    private readonly KernelDice _dice = end.Dice;

    public void Send(ITransport transport)
    {
        if (_model.IsSendingFile) return;
        var plan = end.World.Plan;
        var size = 1 + _dice.Below(2 * plan.LargestWrite);
        var isCancelled = _dice.Chance(0.2);
        var cancelAfter = _dice.Part(plan.MostDelay);
        if (plan.HasFaults && _dice.Chance(0.1)) end.Host.Faults.FailNextSendFile(Errors[_dice.Below(Errors.Length)]);
        end.Note(Happening.SendFile, size);
        var mustThrow = transport.IsClosing || _model.HasWrittenEof;
        if (!mustThrow) _model.BeginFile(size);
        var cancellation = new CancellationTokenSource();
        Task<long> sending;
        try
        {
            var offset = Pattern.OffsetOf(_model.Kernel!.Id, _model.Written);
            sending = end.Host.Loop.SendFileAsync(transport, Pattern.File, offset, size, fallback: false, cancellation.Token);
        }
        catch (InvalidOperationException) when (mustThrow)
        {
            return;
        }

        if (mustThrow) end.Broken(Invariant.Accounting, "a file was accepted where a write is not");
        if (isCancelled && !end.Host.Loop.IsClosed) end.Host.Loop.CallLater(cancelAfter, cancellation.Cancel);
        _ = WatchAsync(sending);
    }

    private async Task WatchAsync(Task<long> sending)
    {
        try
        {
            _model.EndFile(await sending);
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException or SendFileNotAvailableException)
        {
            _model.EndFile(null);
        }
        catch (Exception exception)
        {
            end.Broken(Invariant.Seam, $"sending a file failed with {exception}");
        }
    }
}
