namespace Sluice.KernelTests.Samples;

/// <summary>How a sample ended and what it said.</summary>
internal sealed record SampleResult(int ExitCode, string[] Output, string[] Errors)
{
    public void AssertSuccess()
    {
        Assert.Equal([""], Errors);
        Assert.Equal(0, ExitCode);
    }
}
