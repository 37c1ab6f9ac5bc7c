namespace Sluice.KernelTests.Faults;

/// <summary>Which errors Linux may answer to which call, by the manual; those that would prove a defect of ours (EBADF, EFAULT, ENOTSOCK) apart.</summary>
internal static class LegalErrors
{
    private const int EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EBUSY = 16, ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22,
        ENFILE = 23, EMFILE = 24, ENOSPC = 28, EROFS = 30, EPIPE = 32, EDOM = 33, ENAMETOOLONG = 36, ENOSYS = 38, ELOOP = 40, ENONET = 64, EPROTO = 71,
        EPROTOTYPE = 91, ENOPROTOOPT = 92, EPROTONOSUPPORT = 93, EOPNOTSUPP = 95, EAFNOSUPPORT = 97, EADDRINUSE = 98, EADDRNOTAVAIL = 99, ENETDOWN = 100,
        ENETUNREACH = 101, ECONNABORTED = 103, ECONNRESET = 104, ENOBUFS = 105, EISCONN = 106, ENOTCONN = 107, ETIMEDOUT = 110,
        ECONNREFUSED = 111, EHOSTDOWN = 112, EHOSTUNREACH = 113, EALREADY = 114;

    private static readonly Dictionary<string, int[]> Table = new()
    {
        ["socket"] = [EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT],
        ["bind"] = [EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS, ENOSPC],
        ["connect"] =
        [
            EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EINTR, EISCONN,
            ENETUNREACH, ENOENT, ENOTDIR, EPROTOTYPE, ETIMEDOUT, ENOBUFS,
        ],
        ["SO_ERROR"] = [ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EACCES, EPERM, ENETDOWN, EHOSTDOWN],
        ["listen"] = [EADDRINUSE, EOPNOTSUPP, EINVAL],
        ["accept4"] =
        [
            EAGAIN, ECONNABORTED, EINTR, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EOPNOTSUPP, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET,
            EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, ECONNRESET,
        ],
        ["setsockopt"] = [EINVAL, ENOPROTOOPT, EDOM, ENOMEM, ENOBUFS, EPERM],
        ["getsockopt"] = [EINVAL, ENOPROTOOPT, ENOBUFS],
        ["getsockname"] = [ENOBUFS, EINVAL],
        ["getpeername"] = [ENOBUFS, ENOTCONN, EINVAL],
        ["recv"] = [EAGAIN, EINTR, ECONNRESET, ETIMEDOUT, ENOMEM, EHOSTUNREACH, ENOTCONN],
        ["send"] = [EAGAIN, ECONNRESET, EPIPE, ENOBUFS, ENOMEM, ETIMEDOUT, EHOSTUNREACH, EACCES, EPERM],
        ["read"] = [EAGAIN, EINTR, EINVAL, EIO, EISDIR, ENOMEM],
        ["write"] = [EAGAIN, EINVAL, EIO, ENOSPC, EPERM, EPIPE, ENOMEM],
        ["fcntl"] = [EINVAL, EPERM],
        ["shutdown"] = [ENOTCONN, EINVAL],
        ["epoll_create1"] = [EMFILE, ENFILE, ENOMEM],
        ["epoll_ctl"] = [ENOMEM, ENOSPC, EPERM],
        ["epoll_wait"] = [EINTR],
        ["eventfd"] = [EMFILE, ENFILE, ENOMEM],
        ["dup"] = [EMFILE, EINVAL],
        ["dup3"] = [EBUSY, EINTR, EMFILE],
        ["chmod"] = [EACCES, EIO, ELOOP, EMFILE, ENOENT, ENOMEM, EPERM, EROFS],
        ["fchmod"] = [EPERM, EIO, EROFS, ENOMEM],
        ["statx"] = [EACCES, ENOENT, ENOTDIR, ELOOP, ENOMEM, ENAMETOOLONG],
        ["pipe2"] = [EMFILE, ENFILE],
        ["open"] = [EACCES, EMFILE, ENFILE, ENOENT, ENOMEM],
        ["posix_spawn"] = [EACCES, EAGAIN, EIO, EINVAL, EISDIR, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOTDIR, EPERM],
        ["pidfd_open"] = [EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, ENOSYS, EPERM],
        ["pidfd_send_signal"] = [EPERM, ESRCH],
        ["waitid"] = [ECHILD],
        ["access"] = [EACCES, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR],
        ["unlink"] = [EACCES, EBUSY, EIO, EISDIR, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS],
    };

    public static IReadOnlyCollection<string> Calls => Table.Keys;

    public static IReadOnlyList<int> Of(string call) => Table[call];
}
