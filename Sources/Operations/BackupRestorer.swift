import Counters
import Failpoints
import Domain
import Ledger
import RedisClient

/// Replaces the ledger with a backup, after which the stream is decided again from its beginning.
///
/// 1. Lock the ledger, copy the backup beside it, check the copy.
/// 2. Compare the copy with the ledger that it replaces, with Redis and with the stream: `RestoreFindings`.
/// 3. Raise the copy's epoch above every installed epoch.
/// 4. Make Redis forget the old ledger. After an interruption here, the old ledger continues as after any start.
/// 5. Move the copy into the ledger's place; the replaced ledger is kept under a different name.
package struct BackupRestorer: Sendable {
    private let access: StoreAccess
    private let backups: any LedgerBackups
    private let backup: String

    /// - Parameter backups: those of the ledger's backend.
    package init(_ access: StoreAccess, _ backups: any LedgerBackups, backup: String) {
        self.access = access
        self.backups = backups
        self.backup = backup
    }

    /// - Parameters:
    ///   - allowsOtherLedger: whether the backup's identity may differ from that of the replaced ledger or of the
    ///     ledger that Redis follows.
    ///   - progress: receives the progress of copying and checking; nil once both are done.
    ///   - report: receives the findings before anything is changed.
    ///   - confirm: if false, nothing changes.
    ///   - done: receives the result at once, while the lease is held, so that no later failure can suppress it.
    /// - Returns: whether it was confirmed.
    /// - Throws: `LedgerError` (of kind `inUse` if another process has the ledger open or restores it; `refused` if the
    ///   backup must not replace this ledger, or is unsuitable); `OperationError`; `RedisError`; `CountersError`.
    ///   Nothing was changed unless the error comes from steps 4 or 5, which may be repeated.
    package func run(
        allowsOtherLedger: Bool, progress: @escaping @Sendable (CopyProgress?) -> Void,
        report: (RestoreFindings) -> Void, confirm: () -> Bool, done: (Restored) -> Void
    ) async throws -> Bool {
        let lease = try await access.ledger.takeLease(for: "restoring")
        defer { withExtendedLifetime(lease) {} }
        return try await access.withRedis { client in
            // Read before the ledger: the state of Redis must not be newer than the ledger that it is compared with.
            var (head, stream) = (CounterHead(), StreamExtent?.none)
            if let client {
                head = try await CounterHead.read(access.keys, client)
                stream = try await StreamExtent.read(access.keys, client)
            }
            let restoration = try await backups.prepare(from: backup, store: access.store) { progress($0) }
            progress(nil)
            var isRestored = false
            defer { if !isRestored { restoration.abandon() } }
            Failpoint.restoreCopied.pass()
            let missing = try await restoration.missing()
            var absent = missing?.entries ?? []
            if let client { absent = try await StreamExtent.absent(of: absent, access.keys, client) }
            let findings = RestoreFindings(
                identity: restoration.identity, backup: restoration.copy.check,
                newestEntry: restoration.newestEntry, replaced: restoration.replaced, head: head, stream: stream,
                missing: missing, absent: absent)
            report(findings)
            if !allowsOtherLedger, let other = findings.otherLedger {
                throw OperationError.otherLedger(backup: backup, identity: restoration.identity, found: other)
            }
            guard confirm() else { return false }
            let kept = try await take(restoration, findings, client)
            isRestored = true
            // The recorded damage is that of the replaced ledger.
            await lease.note(LedgerSoundness?.none)
            done(Restored(findings: findings, kept: kept))
            return true
        }
    }

    /// Steps 3 to 5.
    /// - Returns: the new path of the replaced ledger; nil if there was none.
    private func take(
        _ restoration: any LedgerRestoration, _ findings: RestoreFindings, _ client: RedisClient?
    ) async throws -> String? {
        try await restoration.raiseEpoch(
            above: max(findings.head.epoch ?? 0, findings.replacedEpoch), by: access.by)
        if let client { try await CounterRemoval(access.keys, client).startOver() }
        Failpoint.restoreForgotten.pass()
        let kept = try restoration.takePlace()
        Failpoint.restoreDone.pass()
        return kept
    }

    /// The result of a completed restoration.
    package struct Restored: Sendable {
        package let findings: RestoreFindings
        /// The new path of the replaced ledger; nil if there was none.
        package let kept: String?
    }
}
