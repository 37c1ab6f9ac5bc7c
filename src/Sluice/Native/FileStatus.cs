using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>The parts of struct statx that are of use here; unlike struct stat it has one layout on all machines.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct FileStatus
{
    public const uint TypeModeAndInode = 0x001 | 0x002 | 0x100;

    private const int TypeMask = 0xF000;
    private const int TypeSocket = 0xC000;
    private const int TypePipe = 0x1000;
    private const int TypeCharacterDevice = 0x2000;
    private const int PermissionMask = 0xFFF;
    private const int Sticky = 0x200;
    private const int WritableForAll = 0x002;

    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(136)]
    public uint DeviceMajor;

    [FieldOffset(140)]
    public uint DeviceMinor;

    public readonly UnixFileMode Permissions => (UnixFileMode)(Mode & PermissionMask);

    public readonly bool IsSocket => (Mode & TypeMask) == TypeSocket;

    public readonly bool IsPipe => (Mode & TypeMask) == TypePipe;

    public readonly bool IsCharacterDevice => (Mode & TypeMask) == TypeCharacterDevice;

    /// <summary>For a directory: every user may replace what lies in it, whoever owns that.</summary>
    public readonly bool IsFreeForAll => (Mode & (WritableForAll | Sticky)) == WritableForAll;

    /// <summary>What tells one file from every other that exists now.</summary>
    public readonly FileIdentity Identity => new(DeviceMajor, DeviceMinor, Inode);
}

/// <summary>Device and inode of a file.</summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode);
