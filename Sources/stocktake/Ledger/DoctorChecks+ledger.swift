import Ledger
import TextEncodings

/// Checks of the ledger and of its storage.
extension DoctorChecks {
    mutating func checkLedger() async {
        // Must run while the ledger is not open in this process.
        let findings = await settings.ledger.examine()
        do {
            let ledger = try await settings.ledger.openReader(settings.store)
            self.ledger = ledger
            ledgerHead = try await ledger.head()
            add("ledger", .ok, "\(settings.ledger): store \(ledger.store)")
        } catch {
            add("ledger", .bad, "\(error)")
        }
        if isDeep, let ledger { await checkSoundness(ledger) }
        for finding in findings { add(finding.subject, HealthCheck.Status(finding.status), finding.detail) }
    }

    private mutating func checkSoundness(_ ledger: any LedgerReader) async {
        do {
            let before = await ledger.condition()
            let check = try await ledger.check()
            // While the check ran, everything that was written stayed in the log.
            let growth = await ledger.condition().logBytes - before.logBytes
            let grown = growth > 0 ? "; its log grew by \(growth.asBytes) meanwhile" : ""
            let rows = "\(check.commands.text), \(check.deadLetters.counted("dead letter"))"
            if check.isSound {
                add("ledger soundness", .ok, rows + grown)
            } else {
                add("ledger soundness", .bad, "NOT SOUND. 'stocktake ledger check' says what is wrong")
            }
        } catch {
            add("ledger soundness", .bad, "\(error)")
        }
    }
}

extension HealthCheck.Status {
    fileprivate init(_ status: LedgerFinding.Status) {
        switch status {
        case .fine: self = .ok
        case .doubtful: self = .warn
        case .unknown: self = .unknown
        }
    }
}
