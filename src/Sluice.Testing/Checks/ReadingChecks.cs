using System.Text;

namespace Sluice.Testing;

/// <summary>How bytes reach a protocol, and how it holds them back.</summary>
internal static class ReadingChecks
{
    [Check("TCP-005")]
    public static async Task Pausing_and_resuming_twice_is_the_same_as_once(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.PauseReading();
        pair.Client.PauseReading();
        Check.That(!pair.Client.IsReading);
        pair.Server.Write("held back"u8);
        await stage.SettleAsync();
        Check.Equal(0, pair.ClientProtocol.Received.Length);

        pair.Client.ResumeReading();
        pair.Client.ResumeReading();
        Check.That(pair.Client.IsReading);
        await pair.ClientProtocol.WaitForBytesAsync(9);
        Check.Equal("held back", Encoding.ASCII.GetString(pair.ClientProtocol.Received));
    }
}
