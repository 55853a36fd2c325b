import Concurrency
import Domain
import Ledger
import Logging

/// Checks the ledger for damage before and during consumption, and publishes the result with the lease.
///
/// A damaged ledger stops the consumer. Recording could continue as long as it does not touch the damage, but backups
/// are no longer possible, and every hour removes messages from the stream that a restore of the last backup needs.
/// In the meantime, orders wait.
struct DamageWatch: Sendable {
    let ledger: any LedgerLocation
    let lease: any Lease
    let stop: StopSignal
    let logger: Logger

    private var clock: any TimeSource { stop.clock }

    /// Reads the parts of the ledger that must be sound before anything is sold: all of a small ledger, and all of a
    /// ledger that any process found damaged before.
    /// - Returns: whether the whole ledger was read.
    func beforeSelling() async throws -> Bool {
        let wasDamaged = lease.previousSoundness?.damage != nil
        let isWhole = try await Retrier(stop: stop, logger: logger).ledger { [ledger, lease, stop] in
            guard var inspection = try await ledger.inspect() else {
                // Without an inspection, an earlier result can no longer be disproved, so it is cleared.
                await lease.note(LedgerSoundness?.none)
                return false
            }
            defer { inspection.close() }
            let isSmall = inspection.isSmall
            guard wasDamaged || isSmall else {
                try await inspection.readHotParts()
                return false
            }
            // A larger ledger takes long to read, so a stop may interrupt the read between slices.
            while !isSmall, !inspection.isDone {
                if stop.isRequested { throw StopSignal.Stopped() }
                try await inspection.readNext()
            }
            try await inspection.readWhole()
            return true
        }
        if isWhole { await lease.note(.sound(at: clock.timestamp)) }
        return isWhole
    }

    /// Reads the whole ledger repeatedly, one slice at a time, until the task is cancelled or damage is found.
    /// - Parameter isRead: whether the whole ledger has just been read.
    /// - Returns: the damage; `nil` if cancelled, or if the backend has nothing to read.
    func run(isRead: Bool) async -> (any LedgerError)? {
        do {
            if isRead { try await clock.sleep(for: ConsumerSettings.inspectionInterval) }
            while true {
                do {
                    guard try await readAll() else { return nil }
                    await lease.note(.sound(at: clock.timestamp))
                    try await clock.sleep(for: ConsumerSettings.inspectionInterval)
                } catch let error as any LedgerError {
                    if error.damage != nil { return error }
                    logger.warning("the ledger was not read to its end", metadata: ["error": "\(error)"])
                    try await clock.sleep(for: ConsumerSettings.inspectionRetry)
                }
            }
        } catch {
            return nil
        }
    }

    /// - Returns: `false` if the backend has nothing to read.
    private func readAll() async throws -> Bool {
        guard var inspection = try await ledger.inspect() else { return false }
        defer { inspection.close() }
        while !inspection.isDone {
            let start = clock.now
            try await inspection.readNext()
            // Leaves most of the time to the consumer.
            try await clock.sleep(for: (clock.now - start) * ConsumerSettings.inspectionPause)
        }
        return true
    }

    /// Logs the error that stops the consumer and publishes it with the lease, if the ledger is damaged.
    func note(_ error: any Error) async {
        guard let damage = (error as? any LedgerError)?.damage else { return }
        logger.critical(
            "the ledger is damaged; nothing is sold until a backup is restored", metadata: ["error": "\(error)"])
        await lease.note(.damaged(at: clock.timestamp, detail: damage))
    }
}
