/// Limits and settings of a connection. The defaults suit a server in the same data centre.
package struct RedisOptions: Sendable {
    /// For everything until the connection can be used: name lookup, TCP, TLS, AUTH, SELECT.
    package var connectTimeout: Duration = .seconds(5)
    /// For a command without its own timeout. A blocking read must have one that is longer than it blocks.
    package var commandTimeout: Duration = .seconds(10)
    /// Shown by CLIENT LIST. A server that does not accept it is still used. Must not contain spaces.
    package var clientName = "stocktake"
    /// How long `RedisClient` waits after a failed attempt to connect.
    package var reconnectDelay = ReconnectDelay()
    /// A longer reply is refused (`RedisError.replyTooLarge`). Ours have a few MiB; this is what a process can still
    /// hold twice (as bytes and as values). hiredis 0.14 counts some lengths as 32-bit integers: stay below 2 GiB.
    package var maximumReplyBytes = 64 << 20
    /// PEM file with the certificates that a `rediss://` server is checked against; nil: those of the system.
    package var caFile: String?
    /// Off accepts any certificate and any name in it: for tests only.
    package var verifiesCertificate = true

    package init() {}
}

/// Doubles with every consecutive failure, from `initial` to `maximum`.
package struct ReconnectDelay: Sendable, Equatable {
    package var initial: Duration = .milliseconds(50)
    package var maximum: Duration = .seconds(2)

    package init() {}

    package init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
    }

    /// Between half and all of the nominal delay, so that clients which lost the same server do not reconnect in step.
    func delay(afterFailures failures: Int) -> Duration {
        var nominal = min(initial, maximum)
        // Bounded for an initial delay of zero, which never grows.
        for _ in 0..<min(max(failures - 1, 0), 64) { nominal = min(nominal * 2, maximum) }
        return nominal * Double.random(in: 0.5...1)
    }
}
