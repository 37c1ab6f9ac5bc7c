using System.Runtime.InteropServices;
using System.Text;

namespace Sluice.Native;

/// <summary>A vector of C strings as exec takes it, in one block of memory, with a null at its end. Owned by who makes it.</summary>
internal readonly unsafe struct NativeStrings : IDisposable
{
    public NativeStrings(IReadOnlyList<string> strings)
    {
        var size = (nuint)((strings.Count + 1) * sizeof(byte*));
        foreach (var text in strings) size += (nuint)Encoding.UTF8.GetByteCount(text) + 1;
        Pointers = (byte**)NativeMemory.Alloc(size);
        var next = (byte*)(Pointers + strings.Count + 1);
        for (var i = 0; i < strings.Count; i++)
        {
            Pointers[i] = next;
            var length = Encoding.UTF8.GetByteCount(strings[i]);
            Encoding.UTF8.GetBytes(strings[i], new Span<byte>(next, length));
            next[length] = 0;
            next += length + 1;
        }

        Pointers[strings.Count] = null;
    }

    public byte** Pointers { get; }

    public void Dispose() => NativeMemory.Free(Pointers);
}
