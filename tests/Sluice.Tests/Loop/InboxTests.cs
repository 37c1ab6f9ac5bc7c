using Sluice.Loop;

namespace Sluice.Tests.Loop;

public sealed class InboxTests
{
    [Fact]
    public void Only_the_first_item_since_the_last_take_asks_for_a_wake_up()
    {
        var inbox = new Inbox();
        var ready = new ReadyQueue();

        Assert.True(Put(inbox, 1));
        Assert.False(Put(inbox, 2));
        Assert.True(inbox.HasItems);
        inbox.TakeInto(ref ready);

        Assert.False(inbox.HasItems);
        Assert.True(Put(inbox, 3));
        inbox.TakeInto(ref ready);
        Assert.Equal([1, 2, 3], Enumerable.Range(0, 3).Select(_ => ready.Dequeue().Code).ToArray());
    }

    [Fact]
    public void A_closed_inbox_refuses_and_does_not_wake()
    {
        var inbox = new Inbox();
        inbox.Close();

        Assert.False(inbox.TryPut(new ReadyItem(inbox, null, 0), out var wake));
        Assert.False(wake);
    }

    [Fact]
    [Case("LOOP-006")]
    public void Nothing_is_lost_or_reordered_when_many_threads_put()
    {
        const int Threads = 4;
        const int Each = 10_000;
        var inbox = new Inbox();
        var ready = new ReadyQueue();
        var next = new int[Threads];
        var threads = Enumerable.Range(0, Threads).Select(thread => new Thread(() =>
        {
            for (var i = 0; i < Each; i++) Assert.True(inbox.TryPut(new ReadyItem(inbox, thread, i), out _));
        })).ToList();
        threads.ForEach(thread => thread.Start());

        for (var taken = 0; taken < Threads * Each;)
        {
            inbox.TakeInto(ref ready);
            for (; ready.Count > 0; taken++)
            {
                var item = ready.Dequeue();
                Assert.Equal(next[(int)item.State!]++, item.Code);
            }
        }

        threads.ForEach(thread => thread.Join());
        Assert.False(inbox.HasItems);
    }

    private static bool Put(Inbox inbox, int code)
    {
        Assert.True(inbox.TryPut(new ReadyItem(inbox, null, code), out var wake));
        return wake;
    }
}
