using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Tests.Primitives;

public sealed class IoErrorTests
{
    [Fact]
    public void No_error_is_none()
    {
        Assert.True(IoError.None.IsNone);
        Assert.Equal(SocketError.Success, IoError.None.SocketErrorCode);
        Assert.Equal("none", IoError.None.ToString());
    }

    [Theory]
    [InlineData(13, SocketError.AccessDenied)]
    [InlineData(24, SocketError.TooManyOpenSockets)]
    [InlineData(32, SocketError.Shutdown)]
    [InlineData(90, SocketError.MessageSize)]
    [InlineData(98, SocketError.AddressAlreadyInUse)]
    [InlineData(101, SocketError.NetworkUnreachable)]
    [InlineData(103, SocketError.ConnectionAborted)]
    [InlineData(104, SocketError.ConnectionReset)]
    [InlineData(110, SocketError.TimedOut)]
    [InlineData(111, SocketError.ConnectionRefused)]
    [InlineData(113, SocketError.HostUnreachable)]
    [InlineData(9999, SocketError.SocketError)]
    public void An_errno_becomes_the_exception_that_dotnet_users_know(int errno, SocketError expected)
    {
        var exception = new IoError(errno).ToException();

        Assert.Equal(expected, exception.SocketErrorCode);
        Assert.NotEmpty(exception.Message);
    }

    [Fact]
    public void An_exception_says_what_was_being_done()
    {
        var exception = IoError.ConnectionRefused.ToException("connect to 127.0.0.1:80");

        Assert.StartsWith("connect to 127.0.0.1:80: ", exception.Message, StringComparison.Ordinal);
        Assert.Equal(SocketError.ConnectionRefused, exception.SocketErrorCode);
    }

    [Theory]
    [InlineData(2, SocketError.AddressNotAvailable, "No such file or directory")]
    [InlineData(99, SocketError.AddressNotAvailable, "Cannot assign requested address")]
    [InlineData(12, SocketError.NoBufferSpaceAvailable, "Cannot allocate memory")]
    public void The_text_is_the_number_s_own_where_several_share_a_code(int errno, SocketError code, string text)
    {
        Assert.Equal(code, new IoError(errno).ToException().SocketErrorCode);
        Assert.Equal(text, new IoError(errno).ToException().Message);
        Assert.Equal($"connect to /run/x: {text}", new IoError(errno).ToException("connect to /run/x").Message);
    }

    [Fact]
    public void Errors_are_equal_by_number()
    {
        Assert.Equal(new IoError(104), IoError.ConnectionReset);
        Assert.True(new IoError(104) != IoError.BrokenPipe);
        Assert.Equal(new IoError(104).GetHashCode(), IoError.ConnectionReset.GetHashCode());
    }

    [Fact]
    public void Lack_of_resources_and_defects_are_told_apart()
    {
        IoError[] scarce = [IoError.TooManyFiles, IoError.TooManyFilesInSystem, IoError.NoBufferSpace, IoError.OutOfMemory];
        IoError[] defects = [IoError.BadDescriptor, IoError.BadAddress, IoError.NotASocket];
        var all = Enumerable.Range(0, 134).Select(errno => new IoError(errno)).ToList();

        Assert.Equal(scarce.Order(ByNumber), all.Where(error => error.IsOutOfResources));
        Assert.Equal(defects.Order(ByNumber), all.Where(error => error.IsProgrammingError));
    }

    private static Comparer<IoError> ByNumber => Comparer<IoError>.Create((a, b) => a.Errno.CompareTo(b.Errno));
}
