// No transport and no protocol: the loop says when a descriptor can be read, and the program reads it. One level below asyncio's guide.
using System.Text;
using Sluice;

using var loop = new EventLoop();
var (first, second) = SocketPair.Create();
using (first)
using (second)
{
    loop.AddReader(first, () =>
    {
        Span<byte> buffer = stackalloc byte[100];
        var count = first.Receive(buffer);
        Console.WriteLine($"Received: {Encoding.UTF8.GetString(buffer[..count])}");

        // Done: the watch ends before its descriptor does.
        loop.RemoveReader(first);
        loop.Stop();
    });

    // Plays the network: something arrives.
    loop.CallSoon(() => second.Send("abc"u8));
    loop.RunForever();
}
