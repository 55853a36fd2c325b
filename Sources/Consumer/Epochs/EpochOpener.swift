import Concurrency
import Counters
import Failpoints
import Domain
import Ledger
import Logging
import RedisClient

/// Opens epochs: raises the ledger's epoch, and installs its counters in Redis. An installation is sent only once; any
/// doubt about its result requires another epoch.
struct EpochOpener: Sendable {
    let ledger: any LedgerStore
    let gate: any Gate
    let retrier: Retrier
    let metrics: ConsumerMetrics

    private var logger: Logger { retrier.logger }

    /// The result of one attempt.
    private enum Attempt {
        case installed(Epoch)
        /// The epoch may have been installed.
        case inDoubt(EpochReason)
        /// Redis lost the prepared counters before they were renamed: it was flushed or restarted. Retried up to
        /// `ConsumerSettings.installLosses` times.
        case lost(CountersError)
    }

    /// - Throws: `ConsumerError.wrongLedger`; `LedgerError`; `CountersError`; `StopSignal.Stopped`.
    func open(_ request: EpochRequest) async throws -> Epoch {
        logger.notice("opening an epoch", metadata: ["reason": "\(request.needed.reason)"])
        if case .miscount(let counter) = request.needed.cause { try await countAgain(counter) }
        if request.epochsInARow > 0 {
            try await retrier.stop.pause(Backoff.ofCommands.delay(afterFailures: request.epochsInARow))
        }
        var losses = 0
        while true {
            switch try await attempt(request) {
            case .installed(let epoch):
                metrics.opened(epoch: epoch.number, seq: epoch.seq)
                logger.notice(
                    "epoch opened",
                    metadata: [
                        "epoch": "\(epoch.number)", "seq": "\(epoch.seq)", "catalogue": "\(epoch.catalogue.version)",
                    ])
                return epoch
            case .inDoubt(let doubt):
                logger.warning(
                    "it is unknown whether the counters were installed", metadata: ["error": "\(doubt.reason)"])
            case .lost(let error):
                losses += 1
                if losses > ConsumerSettings.installLosses { throw error }
                logger.warning("the prepared counters were lost", metadata: ["error": "\(error)"])
            }
        }
    }

    private func attempt(_ request: EpochRequest) async throws -> Attempt {
        if retrier.stop.isRequested { throw StopSignal.Stopped() }
        // First checks that Redis can be reached: an outage of hours must not use up an epoch per second.
        try await retrier.redis("reaching Redis", retriesInDoubt: true) { [gate] in try await gate.reach() }
        try await ledger.requireInPlace()
        Failpoint.epochBefore.pass()
        // The ledger is checked before the epoch is raised: a wrong ledger that is started repeatedly must not overtake
        // Redis.
        try await refuseWrongLedger()
        let start = try await retrier.ledger { [ledger] in
            try await ledger.raiseEpoch(catalogueBefore: request.catalogueBefore, reason: request.needed.reason)
        }
        Failpoint.epochRaised.pass()
        let installation = Installation(start)
        // Read before sending, so that any later loss of the installed counters shows as a new connection.
        let connection = gate.connection
        let announced: Int64
        do {
            let result = try await retrier.redis("installing the counters") { [gate] in
                try await gate.install(installation)
            }
            switch result {
            case .installed(let position): announced = position
            case .refused(let objection):
                throw ConsumerError.wrongLedger(ledger: ledger.name, redis: gate.name, objection)
            }
        } catch let doubt as EpochReason {
            return .inDoubt(doubt)
        } catch let error as CountersError where error.isLossBeforeInstalling {
            return .lost(error)
        }
        Failpoint.epochInstalled.pass()
        return .installed(
            Epoch(
                number: start.head.epoch, seq: start.head.seq, catalogue: start.catalogue,
                position: start.head.position, announced: announced,
                connection: connection, changedProducts: start.changedProducts))
    }

    private func countAgain(_ counter: CounterName) async throws {
        logger.error(
            "the ledger's own counters do not add up; recounting them",
            metadata: ["level": "\(counter.level.rawValue)", "id": "\(counter.id)"])
        _ = try await retrier.ledger { [ledger] in
            try await ledger.repairMiscounts(reason: "found while recording a cancellation")
        }
    }

    /// Throws if Redis is ahead of this ledger: the ledger was replaced, or has gone back in time.
    private func refuseWrongLedger() async throws {
        let found = try await retrier.redis("reading the counters' state", retriesInDoubt: true) { [gate] in
            try await gate.head()
        }
        let head = try await retrier.ledger { [ledger] in try await ledger.head() }
        try found.refuseWrongLedger(ledger, head: head, redis: gate.name)
    }

    func noProgress(_ needed: EpochReason) -> ConsumerError {
        .noProgress(
            redis: gate.name, reason: needed.reason, epochs: ConsumerSettings.epochsWithoutProgress)
    }
}
