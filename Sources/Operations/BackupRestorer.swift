import Counters
import Failpoints
import Domain
import Ledger
import RedisClient

/// Puts a backup in the ledger's place, and has the stream decided again from its beginning.
///
/// 1. Lock the ledger, copy the backup beside it, check the copy.
/// 2. Compare it with the ledger that it replaces, with Redis and with the stream: `RestoreFindings`.
/// 3. Raise the copy's epoch above every one that was installed.
/// 4. Have Redis forget the old ledger. Interrupted after this, the old ledger goes on as at any start.
/// 5. Put the copy in the ledger's place; what was there keeps another name.
package struct BackupRestorer: Sendable {
    private let access: StoreAccess
    private let backups: any LedgerBackups
    private let backup: String

    /// - Parameter backups: of the ledger's backend.
    package init(_ access: StoreAccess, _ backups: any LedgerBackups, backup: String) {
        self.access = access
        self.backups = backups
        self.backup = backup
    }

    /// - Parameters:
    ///   - allowsOtherLedger: the backup may have another identity than what it replaces, or than Redis follows.
    ///   - progress: of copying and checking.
    ///   - report: receives what was found before anything is changed.
    ///   - confirm: false changes nothing.
    ///   - done: receives what was done at once, while the lease is held: nothing that follows can keep it back.
    /// - Returns: whether it was confirmed.
    /// - Throws: `LedgerError` (of kind `inUse` where another process has the ledger open or restores it; `refused` where
    ///   it is not the ledger that the backup may replace, or the backup is unfit); `OperationError`; `RedisError`;
    ///   `CountersError`. Nothing was changed then, unless the error
    ///   comes from steps 4 or 5, which may be repeated.
    package func run(
        allowsOtherLedger: Bool, progress: @escaping @Sendable (CopyProgress?) -> Void,
        report: (RestoreFindings) -> Void, confirm: () -> Bool, done: (Restored) -> Void
    ) async throws -> Bool {
        let lease = try await access.ledger.takeLease(for: "restoring")
        defer { withExtendedLifetime(lease) {} }
        return try await access.withRedis { client in
            // Read before the ledger: what Redis remembers must not be newer than what it is compared with.
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
            // The damage that was noted is that of the replaced ledger.
            await lease.note(LedgerSoundness?.none)
            done(Restored(findings: findings, kept: kept))
            return true
        }
    }

    /// Steps 3 to 5.
    /// - Returns: the new path of what was replaced; nil: there was nothing.
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

    /// A restoration that is done.
    package struct Restored: Sendable {
        package let findings: RestoreFindings
        /// The new path of what the backup has replaced; nil: there was nothing.
        package let kept: String?
    }
}
