namespace RedisClient;

/// <summary>The server refused a command. The connection is as good as before.</summary>
internal sealed class RedisServerException(string message) : Exception(message);
