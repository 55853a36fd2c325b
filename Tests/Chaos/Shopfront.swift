import Foundation
import Randomness
import Synchronization
import TestSupport

/// A server of the shop's availability, one process after another: each runs for a while, then ends gracefully or not.
final class Shopfront: Sendable {
    /// A running server.
    struct Server: Sendable {
        var number: Int
        var address: HTTPAddress
    }

    private struct State {
        var server: Server?
        var number = 0
        var output: [String] = []
        var isResting = false
        var isRunning = false
    }

    private let shop: ChaosShop
    private let journal: ChaosJournal
    private let state = Mutex(State())

    static let heading = "HTTP"
    private static let lifetime = 10.0...40.0

    init(shop: ChaosShop, journal: ChaosJournal) {
        self.shop = shop
        self.journal = journal
    }

    /// The running server, if it listens.
    var server: Server? { state.withLock { $0.server } }

    /// The output of all servers.
    var transcripts: [String] { state.withLock { $0.output } }

    /// Ends the server, and starts none until `resume`.
    func rest() async throws {
        state.withLock { $0.isResting = true }
        try await eventually(within: .seconds(60), "the server to end") { !state.withLock { $0.isRunning } }
    }

    func resume() { state.withLock { $0.isResting = false } }

    /// Keeps a server running until cancelled.
    func keep(_ first: SeededGenerator) async throws {
        var generator = first
        while !Task.isCancelled {
            let mayRun = state.withLock { state in
                state.isRunning = !state.isResting
                return state.isRunning
            }
            if !mayRun {
                try? await Task.sleep(for: .milliseconds(10))
                continue
            }
            let process = try shop.start(["serve", "--http-port", "0", "--operator-port", "0"], as: .reader)
            let lifetime = Duration.seconds(Double.random(in: Self.lifetime, using: &generator))
            let isPolite = generator.chance(50)
            await run(process, for: lifetime, endsPolitely: isPolite)
            state.withLock { $0.output.append(process.standardOutput + process.standardError) }
        }
    }

    private func run(_ process: ChildProcess, for lifetime: Duration, endsPolitely isPolite: Bool) async {
        // With the ledger locked or its disk full it may fail to start listening.
        guard let line = try? await process.waitForLine(containing: "listening on http://", within: .seconds(20)),
            let address = try? HTTPAddress(in: line)
        else {
            journal.count(Self.heading, "servers that could not start")
            _ = try? await process.kill()
            try? await Task.sleep(for: .milliseconds(500))
            return
        }
        state.withLock { state in
            state.number += 1
            state.server = Server(number: state.number, address: address)
        }
        journal.count(Self.heading, "servers")
        let end = ContinuousClock.now + lifetime
        while ContinuousClock.now < end, process.ending == nil, !Task.isCancelled, !state.withLock({ $0.isResting }) {
            try? await Task.sleep(for: .milliseconds(100))
        }
        state.withLock { $0.server = nil }
        if let ending = process.ending {
            return journal.violation(
                .exitStatus, "a server ended by itself: \(ending): \(process.standardError.suffix(500))")
        }
        if !isPolite { return _ = try? await process.kill() }
        process.signal(SIGTERM)
        // Also when this task is cancelled.
        let ending = try? await Task { try await process.waitForEnding(within: .seconds(20)) }.value
        if ending != .exited(0) {
            journal.violation(.gracefulEnd, "a server asked to end: \(ending.map { "\($0)" } ?? "still running")")
            _ = try? await process.kill()
        }
    }
}
