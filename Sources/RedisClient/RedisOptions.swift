import Concurrency

/// Limits and settings of a connection. The defaults suit a server in the same data centre.
package struct RedisOptions: Sendable {
    /// Covers everything until the connection can be used: name lookup, TCP, TLS, AUTH, SELECT.
    package var connectTimeout: Duration = .seconds(5)
    /// Applies to commands without an explicit timeout. A blocking read must have one that is longer than it blocks.
    package var commandTimeout: Duration = .seconds(10)
    /// Shown by CLIENT LIST. A server that does not accept it is still used. Must not contain spaces.
    package var clientName = "stocktake"
    /// How long `RedisClient` waits after a failed attempt to connect.
    package var reconnectDelay = Backoff()
    /// Longer replies are refused (`RedisError.replyTooLarge`). Ours have a few MiB; a process can still hold this size
    /// twice (as bytes and as values). hiredis 0.14 stores some lengths as 32-bit integers: stay below 2 GiB.
    package var maximumReplyBytes = 64 << 20
    /// PEM file with the certificates that a `rediss://` server is verified against; nil for the system's.
    package var caFile: String?
    /// If false, any certificate with any name is accepted: for tests only.
    package var verifiesCertificate = true

    package init() {}
}
