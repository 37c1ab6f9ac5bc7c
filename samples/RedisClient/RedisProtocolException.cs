namespace RedisClient;

/// <summary>The server sent what no Redis server sends, or more than the client takes.</summary>
internal sealed class RedisProtocolException(string message) : Exception(message);
