import Concurrency
import Counters
import Failpoints
import Ingest
import Domain
import Ledger
import Logging
import RedisClient

/// Reads the stream, and reconnects after a failure.
struct ReadStage: Sendable {
    let settings: ConsumerSettings
    let source: any MessageSource
    let gate: any Gate
    let ledger: any LedgerStore
    let server: ServerCheck
    let retrier: Retrier

    private var logger: Logger { retrier.logger }

    func connectFirst() async throws {
        try await retrier.redis("connecting", retriesInDoubt: true) { [source] in try await source.connect() }
    }

    /// - Parameter claims: whether to claim all pending entries first.
    func next(claims: Bool) async throws -> ConsumerEvent {
        // Messages read after a stop would have to be finished.
        if retrier.stop.isRequested { return .readFailed(.stopped) }
        Failpoint.readBefore.pass()
        // With `untilIdle`, an empty stream is the end. Even a short block would last until Redis next checks its
        // timers: up to 100 ms.
        let block = settings.untilIdle ? Duration.zero : settings.block
        do {
            if claims { await source.startOver() }
            let delivery = try await source.next(block: block)
            Failpoint.readAfter.pass()
            if !delivery.lost.isEmpty {
                logger.warning(
                    "pending messages are missing from the stream: something trimmed or deleted them",
                    metadata: ["count": "\(delivery.lost.count)", "first": "\(delivery.lost[0])"])
            }
            return .delivered(delivery)
        } catch {
            return .readFailed(try failure(error))
        }
    }

    /// Ends a blocking read.
    func endWait() async { await source.endWait() }

    func connect(attempt: Int) async throws -> ConsumerEvent {
        do {
            try await retrier.stop.pause(Backoff.ofCommands.delay(afterFailures: attempt + 1))
            try await source.connect()
            // The other connection may have broken at the same time, without being noticed.
            try await gate.reach()
            await server.compareConnections()
            return .connected(decidingConnection: gate.connection)
        } catch {
            return .readFailed(try failure(error))
        }
    }

    func checkForLeftovers() async throws -> ConsumerEvent {
        do {
            let pending = try await gate.pending().count
            guard settings.untilIdle, pending == 0 else { return .leftovers(pending: pending, wanted: []) }
            let wanted = try await retrier.ledger { [ledger] in
                try await ledger.requestedReplays(limit: Replays.limit)
            }
            return .leftovers(pending: 0, wanted: wanted)
        } catch {
            return .readFailed(try failure(error))
        }
    }

    /// - Throws: errors that waiting does not resolve.
    private func failure(_ error: any Error) throws -> ReadFailure {
        if error is StopSignal.Stopped || error is CancellationError { return .stopped }
        if case RedisError.reply(let reply, _) = error, ["NOGROUP", "UNBLOCKED"].contains(reply.code),
            !reply.isNotThePrimary
        {
            logger.error(
                "the stream or its group is missing: Redis has lost data", metadata: ["error": "\(reply.message)"])
            return .lostData
        }
        switch RedisErrorClass(error) {
        case .fatal: throw error
        // Failed connection attempts are already in the log.
        case .wait where !RedisErrorClass.isReply(error): break
        case .wait, .doubt: logger.warning("reading failed; trying again", metadata: ["error": "\(error)"])
        }
        return .interrupted
    }
}
