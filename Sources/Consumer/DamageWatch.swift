import Concurrency
import Domain
import Ledger
import Logging

/// Looks for damage in the ledger before and while it is consumed, and publishes with the lease what it found.
///
/// A damaged ledger stops the consumer. Recording could continue as long as it does not touch the damage, but no backup
/// is possible any more, and every hour removes messages from the stream that the last backup needs. Orders wait
/// meanwhile.
struct DamageWatch: Sendable {
    let ledger: any LedgerLocation
    let lease: any Lease
    let stop: StopSignal
    let logger: Logger

    private var clock: any TimeSource { stop.clock }

    /// Reads what must be sound before anything is sold: all of a small ledger, and all of a ledger that any process
    /// found damaged before.
    /// - Returns: whether all of it was read.
    func beforeSelling() async throws -> Bool {
        let wasDamaged = lease.previousSoundness?.damage != nil
        let isWhole = try await Retrier(stop: stop, logger: logger).ledger { [ledger, lease, stop] in
            guard var inspection = try await ledger.inspect() else {
                // What was found before cannot be found not to be so any more.
                await lease.note(LedgerSoundness?.none)
                return false
            }
            defer { inspection.close() }
            let isSmall = inspection.isSmall
            guard wasDamaged || isSmall else {
                try await inspection.readHotParts()
                return false
            }
            // A larger ledger takes long; a stop may interrupt the read between slices.
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

    /// Reads the whole ledger again and again, a slice at a time, until it is cancelled or finds damage, which it
    /// returns.
    /// - Parameter isRead: whether it has just been read.
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

    /// - Returns: false: the backend has nothing to read.
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

    /// Notes the error that makes the consumer stop, if the ledger is damaged.
    func note(_ error: any Error) async {
        guard let damage = (error as? any LedgerError)?.damage else { return }
        logger.critical(
            "the ledger is damaged; nothing is sold until a backup is restored", metadata: ["error": "\(error)"])
        await lease.note(.damaged(at: clock.timestamp, detail: damage))
    }
}
