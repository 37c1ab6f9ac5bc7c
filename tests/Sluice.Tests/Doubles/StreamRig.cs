using System.Text;
using Sluice.Primitives;
using Sluice.Transports;

namespace Sluice.Tests.Doubles;

/// <summary>One stream transport between a traced protocol and a scripted channel.</summary>
internal sealed class StreamRig : LoopRig
{
    public const int Plain = 0;

    /// <param name="bufferSize">The size of the protocol's own receive buffer, or <see cref="Plain"/>.</param>
    /// <param name="maxWriteBufferSize">The hard limit.</param>
    /// <param name="options">The loop's options.</param>
    public StreamRig(int bufferSize = Plain, int? maxWriteBufferSize = null, EventLoopOptions? options = null)
        : base(options)
    {
        Callbacks = new Callbacks(Trace);
        Channel = new ScriptedChannel(Backend, Trace);
        Protocol = NewProtocol(Callbacks, bufferSize);
        var limits = new ConnectionOptions();
        if (maxWriteBufferSize is { } most) limits = new ConnectionOptions { MaxWriteBufferSize = most };
        Transport = new SocketTransport(Loop, Channel, Protocol, new TransportOrigin(Connections, limits, null, null));
    }

    public ConnectionSet Connections { get; } = new();

    public Callbacks Callbacks { get; }

    public ScriptedChannel Channel { get; }

    public IProtocol<ITransport> Protocol { get; }

    public SocketTransport Transport { get; }

    /// <summary>A transport that has told ConnectionMade and reads; its trace begins after that.</summary>
    public static StreamRig Started(int bufferSize = Plain, int? maxWriteBufferSize = null, EventLoopOptions? options = null)
    {
        var rig = new StreamRig(bufferSize, maxWriteBufferSize, options);
        rig.Pass(2);
        rig.Trace.Clear();
        return rig;
    }

    public static IProtocol<ITransport> NewProtocol(Callbacks callbacks, int bufferSize) =>
        bufferSize == Plain ? new TracedProtocol(callbacks) : new TracedBufferedProtocol(callbacks, bufferSize);

    public void Receive(string data)
    {
        Channel.Receive(data);
        Pass();
    }

    public void ReceiveEnd(IoError reason = default)
    {
        Channel.ReceiveEnd(reason);
        Pass();
    }

    public void CompleteWrite(int? count = null, IoError error = default)
    {
        Channel.CompleteWrite(count, error);
        Pass();
    }

    /// <summary>Writes text as a step of its own.</summary>
    public void Write(string text) => Step(() => Transport.Write(Encoding.Latin1.GetBytes(text)));

    /// <summary>Makes the kernel full: one outstanding write of the given size, which must be below the high watermark.</summary>
    public void Clog(int size = 1)
    {
        Channel.Accept(0);
        Write(new string('.', size));
        Trace.Clear();
    }
}
