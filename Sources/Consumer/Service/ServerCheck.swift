import Counters
import Ingest
import Logging

/// Checks that the server is recent enough and configured safely, and that both connections lead to the same server.
actor ServerCheck {
    private let gate: any Gate
    private let source: any MessageSource
    private let retrier: Retrier
    /// The connections that were found to lead to the same server.
    private var comparedConnections: (reading: Int, deciding: Int)?

    init(gate: any Gate, source: any MessageSource, retrier: Retrier) {
        self.gate = gate
        self.source = source
        self.retrier = retrier
    }

    /// Throws if Redis is too old for scripts with `#!lua`; warns about settings under which it loses messages.
    func check() async throws {
        let server = try await retrier.redis("asking for the server's version", retriesInDoubt: true) { [gate] in
            try await gate.server()
        }
        if let version = server.version, let major = Int(version.prefix { $0 != "." }),
            major < ConsumerSettings.oldestServer
        {
            throw ConsumerError.serverTooOld(redis: gate.name, version: version)
        }
        if let policy = server.evictionPolicy, policy != "noeviction" {
            retrier.logger.warning(
                "Redis may evict unread messages: set maxmemory-policy to noeviction",
                metadata: ["policy": "\(policy)"])
        }
        if server.hasAppendOnlyFile == false {
            retrier.logger.warning("Redis has no append-only file: a restart loses unread messages")
        }
    }

    /// Reconnects if the two connections lead to different servers: messages must be acknowledged to the server from
    /// which they were read. Called once a second. After a failover behind one host name, one connection may have moved
    /// to another server while the other has not.
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
