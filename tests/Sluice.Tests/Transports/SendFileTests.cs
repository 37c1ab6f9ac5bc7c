using System.Text;
using Sluice.Primitives;
using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>A file on its way through one transport: which orders go down, and in which order things come out.</summary>
public sealed class SendFileTests : IDisposable
{
    private const int Piece = 1024 * 1024;

    private readonly string _path = Path.GetTempFileName();
    private readonly FileStream _stream;

    public SendFileTests()
    {
        File.WriteAllText(_path, "0123456789");
        _stream = File.OpenRead(_path);
    }

    public void Dispose()
    {
        _stream.Dispose();
        File.Delete(_path);
    }

    [Fact, Case("SENDFILE-009", "SENDFILE-018")]
    public void The_queue_goes_first_then_pieces_as_there_is_room_and_reading_is_held()
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);
        var file = Start(rig, 0, 10);
        Assert.Equal("StopReading", rig.Take());

        rig.Channel.Accept(4, 0);
        rig.CompleteWrite();
        Assert.Equal("TrySendFile(0, 10), AwaitRoom", rig.Take());
        rig.Channel.ReportRoom();
        rig.Pass();
        Assert.Equal("TrySendFile(4, 6), AwaitRoom", rig.Take());
        rig.Channel.ReportRoom();
        rig.Pass(2);
        Assert.Equal("TrySendFile(4, 6), StartReading", rig.Take());
        Assert.True(file.Done.IsCompletedSuccessfully);
        Assert.Equal("...0123456789", rig.Channel.Sent);
        Assert.Empty(rig.Backend.Violations);
    }

    [Fact, Case("SENDFILE-018")]
    public void One_poll_sends_a_mebibyte_at_most()
    {
        File.WriteAllBytes(_path, new byte[Piece + 5]);
        using var rig = StreamRig.Started();
        Start(rig, 0, Piece + 5);
        rig.Channel.ReportRoom();
        rig.Pass();
        Assert.Equal($"StopReading, TrySendFile(0, {Piece}), AwaitRoom, TrySendFile({Piece}, 5)", string.Join(", ", rig.Take().Split(", StartReading")[0]));
    }

    [Fact, Case("SENDFILE-018")]
    public void Cancellation_takes_the_wait_back_and_what_is_written_next_goes_on()
    {
        using var cancellation = new CancellationTokenSource();
        using var rig = StreamRig.Started();
        rig.Channel.Accept(4);
        var file = Start(rig, 0, 10, cancellation.Token);
        rig.Trace.Clear();

        rig.Step(cancellation.Cancel);
        Assert.Equal("StopAwaitingRoom", rig.Take().Split(", StartReading")[0]);
        Assert.True(file.Done.IsCanceled);
        Assert.Equal(4, file.Sent);
        rig.Channel.ReportRoom();
        rig.Write("behind");
        Assert.Equal("0123behind", rig.Channel.Sent);
        Assert.Empty(rig.Backend.Violations);
    }

    [Fact, Case("SENDFILE-012")]
    public void A_connection_that_breaks_fails_the_file_first_and_is_lost_once()
    {
        using var rig = StreamRig.Started();
        rig.Channel.Accept(4);
        rig.Channel.RefuseWith(IoError.ConnectionReset);
        var file = Start(rig, 0, 10);
        rig.Channel.ReportRoom();
        rig.Trace.Clear();
        rig.Pass();

        Assert.Equal("TrySendFile(4, 6)", rig.Take().Split(", ConnectionLost")[0]);
        Assert.Same(rig.Callbacks.Reason ?? Pass(rig), file.Done.Exception!.InnerException);
        Assert.Equal(4, file.Sent);
    }

    [Fact, Case("SENDFILE-012")]
    public void Waiting_for_room_that_fails_loses_the_connection()
    {
        using var rig = StreamRig.Started();
        rig.Channel.Accept(4);
        var file = Start(rig, 0, 10);
        rig.Channel.ReportRoom(IoError.OutOfMemory);
        rig.Pass(2);
        Assert.IsType<System.Net.Sockets.SocketException>(rig.Callbacks.Reason);
        Assert.Same(rig.Callbacks.Reason, file.Done.Exception!.InnerException);
    }

    [Fact, Case("SENDFILE-010")]
    public void A_protocol_that_writes_when_it_may_go_on_is_refused_and_the_file_is_unharmed()
    {
        using var rig = StreamRig.Started();
        rig.Clog(70_000);
        rig.Callbacks.On("ResumeWriting", static transport => transport.Write("x"u8));
        var file = Start(rig, 0, 10);
        rig.Channel.Accept(4);
        rig.CompleteWrite();
        Assert.IsType<InvalidOperationException>(Assert.Single(rig.Reports).Exception);
        rig.Channel.ReportRoom();
        rig.Pass();
        Assert.True(file.Done.IsCompletedSuccessfully);
        Assert.EndsWith(".0123456789", rig.Channel.Sent);
    }

    [Fact, Case("SENDFILE-010")]
    public void Memory_that_was_lent_is_lent_no_longer()
    {
        using var rig = StreamRig.Started();
        rig.Channel.Accept(4);
        rig.Step(() =>
        {
            Encoding.ASCII.GetBytes("lost").CopyTo(rig.Transport.GetMemory(4));
            ((ISendsFiles)rig.Transport).StartFile(new FileSend(_stream.SafeFileHandle, 0, 10), default);
            Assert.Throws<InvalidOperationException>(() => rig.Transport.Advance(4));
        });
        rig.Channel.ReportRoom();
        rig.Pass(2);
        Assert.Equal("0123456789", rig.Channel.Sent);
    }

    [Fact, Case("SENDFILE-010")]
    public void A_write_in_parts_whose_parts_send_a_file_ends_there()
    {
        using var rig = StreamRig.Started();
        rig.Channel.Accept(1, 4);
        rig.Step(() => Assert.Throws<InvalidOperationException>(() => rig.Transport.WriteLines(Parts())));
        rig.Channel.ReportRoom();
        rig.Pass(2);
        Assert.Equal("a0123456789", rig.Channel.Sent);

        IEnumerable<ReadOnlyMemory<byte>> Parts()
        {
            yield return "a"u8.ToArray();
            ((ISendsFiles)rig.Transport).StartFile(new FileSend(_stream.SafeFileHandle, 0, 10), default);
            yield return "b"u8.ToArray();
        }
    }

    private static Exception? Pass(StreamRig rig)
    {
        rig.Pass();
        return rig.Callbacks.Reason;
    }

    private FileSend Start(StreamRig rig, long offset, long count, CancellationToken cancellation = default)
    {
        var file = new FileSend(_stream.SafeFileHandle, offset, count);
        rig.Step(() => ((ISendsFiles)rig.Transport).StartFile(file, cancellation));
        return file;
    }
}
