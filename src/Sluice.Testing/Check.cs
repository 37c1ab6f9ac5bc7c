using System.Runtime.CompilerServices;

namespace Sluice.Testing;

/// <summary>The vocabulary of checks. Each word throws <see cref="CheckFailedException"/> where the fact is not so.</summary>
public static class Check
{
    /// <summary>The condition holds.</summary>
    /// <param name="condition">What must be true.</param>
    /// <param name="message">What it means for the user that it is not.</param>
    /// <param name="expression">Filled in by the compiler.</param>
    public static void That(bool condition, string? message = null, [CallerArgumentExpression(nameof(condition))] string expression = "")
    {
        if (!condition) throw new CheckFailedException(message ?? $"not true: {expression}");
    }

    /// <summary>The two values are equal.</summary>
    /// <param name="expected">What must be.</param>
    /// <param name="actual">What is.</param>
    /// <param name="expression">Filled in by the compiler.</param>
    public static void Equal<T>(T expected, T actual, [CallerArgumentExpression(nameof(actual))] string expression = "")
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual)) throw new CheckFailedException($"{expression}: expected {expected}, got {actual}");
    }

    /// <summary>The bytes are the same.</summary>
    /// <param name="expected">What must be.</param>
    /// <param name="actual">What is.</param>
    /// <param name="expression">Filled in by the compiler.</param>
    public static void Bytes(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, [CallerArgumentExpression(nameof(actual))] string expression = "")
    {
        var same = expected.CommonPrefixLength(actual);
        if (same == expected.Length && same == actual.Length) return;
        throw new CheckFailedException($"{expression}: expected {expected.Length} bytes, got {actual.Length}, which differ from offset {same}");
    }

    /// <summary>The trace consists of exactly these entries.</summary>
    /// <param name="actual">For example <see cref="ProtocolRecord.Shape"/>.</param>
    /// <param name="expected">The entries in order.</param>
    public static void Trace(IReadOnlyList<string> actual, params IEnumerable<string> expected)
    {
        var wanted = expected.ToArray();
        if (!actual.SequenceEqual(wanted)) throw new CheckFailedException($"expected [{string.Join(", ", wanted)}], got [{string.Join(", ", actual)}]");
    }

    /// <summary>The action throws this exception, or one derived from it.</summary>
    /// <param name="action">What must throw.</param>
    /// <returns>The exception.</returns>
    public static T Throws<T>(Action action) where T : Exception
    {
        try
        {
            action();
        }
        catch (T exception)
        {
            return exception;
        }
        catch (Exception exception)
        {
            throw new CheckFailedException($"expected {typeof(T).Name}, got {exception.GetType().Name}: {exception.Message}", exception);
        }

        throw new CheckFailedException($"expected {typeof(T).Name}, but nothing was thrown");
    }

    /// <summary>The task fails with this exception, or one derived from it.</summary>
    /// <param name="action">What starts the task.</param>
    /// <returns>The exception.</returns>
    public static async Task<T> ThrowsAsync<T>(Func<Task> action) where T : Exception
    {
        try
        {
            await action();
        }
        catch (T exception)
        {
            return exception;
        }
        catch (Exception exception)
        {
            throw new CheckFailedException($"expected {typeof(T).Name}, got {exception.GetType().Name}: {exception.Message}", exception);
        }

        throw new CheckFailedException($"expected {typeof(T).Name}, but the task succeeded");
    }
}
