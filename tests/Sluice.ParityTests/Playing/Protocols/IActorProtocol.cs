namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>A protocol that only tells its actor.</summary>
internal interface IActorProtocol
{
    Actor Actor { get; }
}
