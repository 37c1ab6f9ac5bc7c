namespace RedisClient;

/// <summary>The connection was lost, or never was: nobody knows whether a command that had been sent was carried out.</summary>
internal sealed class RedisConnectionException(string message, Exception? inner = null) : Exception(message, inner);
