using System.Net;

namespace Sluice.KernelTests.Datagrams.Kit;

/// <summary>A datagram protocol that keeps what it hears, and lets a test wait for it. On the loop's thread.</summary>
internal sealed class Hearer : DatagramProtocol
{
    private readonly TaskCompletionSource<Exception?> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(Func<bool> Condition, TaskCompletionSource Source)> _waiting = [];

    public List<byte[]> Datagrams { get; } = [];

    public List<EndPoint?> Senders { get; } = [];

    public List<Exception> Errors { get; } = [];

    public IDatagramTransport Transport { get; private set; } = null!;

    public Action<byte[], EndPoint?>? OnDatagram { get; set; }

    public Task<Exception?> Lost => _lost.Task;

    /// <summary>Sends back what it receives.</summary>
    public static Hearer Echo()
    {
        var hearer = new Hearer();
        hearer.OnDatagram = (data, sender) => hearer.Transport.SendTo(data, sender);
        return hearer;
    }

    public Task WaitForAsync(int datagrams) => WaitUntilAsync(() => Datagrams.Count >= datagrams);

    public Task WaitForErrorsAsync(int errors) => WaitUntilAsync(() => Errors.Count >= errors);

    public override void ConnectionMade(IDatagramTransport transport) => Transport = transport;

    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
        Datagrams.Add(data.ToArray());
        Senders.Add(address);
        OnDatagram?.Invoke(Datagrams[^1], address);
        Complete();
    }

    public override void ErrorReceived(Exception exception)
    {
        Errors.Add(exception);
        Complete();
    }

    public override void ConnectionLost(Exception? exception) => _lost.SetResult(exception);

    private Task WaitUntilAsync(Func<bool> condition)
    {
        if (condition()) return Task.CompletedTask;
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting.Add((condition, source));
        return source.Task;
    }

    private void Complete()
    {
        foreach (var (_, source) in _waiting.Where(static waiting => waiting.Condition())) source.TrySetResult();
        _waiting.RemoveAll(static waiting => waiting.Condition());
    }
}
