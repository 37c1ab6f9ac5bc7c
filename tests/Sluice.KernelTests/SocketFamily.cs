namespace Sluice.KernelTests;

/// <summary>The kinds of real connections that checks run over.</summary>
public enum SocketFamily
{
    Tcp4,
    Tcp6,
    Unix,
}
