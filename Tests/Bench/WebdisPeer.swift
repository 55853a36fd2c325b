import Foundation
import TestSupport

/// webdis, a C program that serves Redis' commands over HTTP: what a shop without Stocktake could put in front of
/// Redis.
struct WebdisPeer {
    let address: HTTPAddress
    private let process: ChildProcess

    /// How often another free port is tried.
    private static let attempts = 5

    /// With two threads, as Debian installs it.
    static func start(in workshop: Workshop) async throws -> WebdisPeer {
        guard let program = ForeignProgram.webdis.path, let redisPort = workshop.redis.port else {
            throw MissingInput(description: "webdis is not installed; scripts/setup --bench installs it")
        }
        for _ in 1...attempts {
            let port = try freePort()
            let settings = try workshop.folder.write(
                """
                {"redis_host": "127.0.0.1", "redis_port": \(redisPort), "http_host": "127.0.0.1", "http_port": \(port),
                 "threads": 2, "daemonize": false, "database": 0, "verbosity": 1,
                 "logfile": "\(workshop.folder.path(of: "webdis.log"))"}
                """, to: "webdis.json")
            let process = try ChildProcess(program, [settings])
            let peer = WebdisPeer(address: HTTPAddress(host: "127.0.0.1", port: port), process: process)
            do {
                try await eventually(within: .seconds(10), "webdis to answer") {
                    if process.ending != nil { throw TestSupportError("webdis ended: \(process.standardError)") }
                    return (try? await peer.address.get("/PING").status) == 200
                }
                return peer
            } catch is TestSupportError {
                try await process.kill()
            }
        }
        throw BenchError("starting webdis failed: on 127.0.0.1: it did not answer. See whether it runs by hand.")
    }

    func stop() async throws {
        try await process.kill()
    }
}
