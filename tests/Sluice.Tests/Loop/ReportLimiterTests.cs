using Microsoft.Extensions.Logging;
using Sluice.Loop.Reports;

namespace Sluice.Tests.Loop;

public sealed class ReportLimiterTests
{
    private readonly ReportLimiter _limiter = new();

    [Fact, Case("LOOP-080")]
    public void Of_one_kind_one_report_a_second_is_let_through_and_the_rest_is_counted()
    {
        Assert.True(Admits("a", 0));
        for (var i = 1; i < 10; i++) Assert.False(Admits("a", 0.1 * i));
        Assert.Equal(TimeSpan.FromSeconds(1), _limiter.NextSummary);
        Assert.Empty(TakeDue(0.99));
        Assert.False(Admits("a", 1.5));

        Assert.Equal([("a at 1.5", 10L)], TakeDue(1.5));

        Assert.False(Admits("a", 2.4));
        Assert.Equal(TimeSpan.FromSeconds(2.5), _limiter.NextSummary);
        Assert.Equal([("a at 2.4", 1L)], TakeDue(2.5));
        Assert.Null(_limiter.NextSummary);
        Assert.True(Admits("a", 3.6));
    }

    [Fact, Case("LOOP-080")]
    public void Kinds_differ_by_message_exception_and_source()
    {
        Assert.True(Admits("a", 0));
        Assert.True(Admits("b", 0));
        Assert.True(Admits("a", 0, typeof(IOException)));
        Assert.True(Admits("a", 0, typeof(IOException), typeof(Protocol)));
        Assert.False(Admits("a", 0, typeof(IOException), typeof(Protocol)));
    }

    [Fact, Case("LOOP-080")]
    public void Kinds_without_number_are_one_kind_together_and_the_table_stays_small()
    {
        for (var i = 0; i < 2 * ReportLimiter.MostKinds; i++) Admits($"from peer {i}", 0.5);

        Assert.False(Admits("new", 0.6));
        Assert.Equal([("new at 0.6", ReportLimiter.MostKinds)], TakeDue(1.5));

        // Kinds of which nothing is heard leave their place.
        Assert.True(Admits("newer", 1.6));
    }

    private bool Admits(string message, double time, Type? exception = null, Type? source = null) => _limiter.Admits(
        new LogEntry(LogLevel.Error, new ReportKind(message, exception, source), FormattableString.Invariant($"{message} at {time}"), null, static _ => { }),
        TimeSpan.FromSeconds(time));

    private List<(string, long)> TakeDue(double time) => [.. _limiter.TakeDue(TimeSpan.FromSeconds(time)).Select(static due => ((string)due.Last.What, due.Count))];
}
