namespace Sluice.Testing;

/// <summary>How connections begin: who is called in which order, before a byte has moved.</summary>
internal static class BirthChecks
{
    [Check("TCP-001", "TCP-002", "PROTO-006")]
    public static async Task ConnectionMade_comes_before_the_caller_resumes_and_with_the_same_transport(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
        Check.That(ReferenceEquals(pair.Client, pair.ClientProtocol.Transport));
        Check.That(pair.Client.IsReading && !pair.Client.IsClosing);
        Check.That(ReferenceEquals(pair.Client.Protocol, pair.ClientProtocol));
    }
}
