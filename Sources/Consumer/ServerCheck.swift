import Counters
import Ingest
import Logging

/// Checks that the server is recent and configured safely, and that both connections lead to the same server.
actor ServerCheck {
    private let gate: any Gate
    private let source: any MessageSource
    private let retrier: Retrier
    /// The connections that were found to lead to one server.
    private var comparedConnections: (reading: Int, deciding: Int)?

    init(gate: any Gate, source: any MessageSource, retrier: Retrier) {
        self.gate = gate
        self.source = source
        self.retrier = retrier
    }

    /// Refuses a Redis that is too old for scripts with `#!lua`; warns about settings under which it loses messages.
    func check() async throws {
        let server = try await retrier.redis("asking for the server's version", doubtIsHarmless: true) { [gate] in
            try await gate.server()
        }
        if let version = server.version, let major = Int(version.prefix { $0 != "." }),
            major < ConsumerSettings.oldestServer
        {
            throw ConsumerError.serverTooOld(redis: gate.name, version: version)
        }
        if let policy = server.evictionPolicy, policy != "noeviction" {
            retrier.logger.warning(
                "Redis may evict messages that nobody has read: set maxmemory-policy to noeviction",
                metadata: ["policy": "\(policy)"])
        }
        if server.hasAppendOnlyFile == false {
            retrier.logger.warning("Redis has no append-only file: a restart forgets messages that nobody has read")
        }
    }

    /// Called once a second: messages must be read from and acknowledged to the same server. After a failover by name
    /// one of the two connections may have moved to another server while the other one did not notice.
    func compareConnections() async {
        guard let read = await source.server() else { return }
        let connections = (reading: read.connection, deciding: gate.connection)
        if comparedConnections.map({ $0 == connections }) ?? false { return }
        guard let server = try? await gate.server().runID else { return }
        comparedConnections = connections
        if server == read.id { return }
        retrier.logger.warning(
            "the two connections to redis lead to different servers; connecting again",
            metadata: ["reading": "\(read.id)", "deciding": "\(server)"])
        gate.reconnect(because: "the other connection leads to another server")
        await source.reconnect(because: "the other connection leads to another server")
        comparedConnections = nil
    }
}
