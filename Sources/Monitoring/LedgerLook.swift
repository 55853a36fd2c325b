import Ledger

/// What the ledger says of a store at one moment.
struct LedgerLook: Sendable {
    /// Nil: it cannot be read.
    var figures: LedgerFigures?
    var obstacle: LedgerObstacle?
    /// Why it cannot be read.
    var failure: String?
    /// Of the file and its log.
    var bytes: Int64
    /// Of the log alone.
    var logBytes: Int64 = 0

    /// Never throws: a ledger that cannot be read is a finding.
    static func take(_ ledger: LedgerDatabase) async -> LedgerLook {
        let path = ledger.path
        let (file, log) = await offCooperativeThreads {
            (LedgerFile.size(of: path), LedgerFile.logSize(ofLedger: path))
        }
        var look = LedgerLook(obstacle: await ledger.obstacle(), bytes: file + log, logBytes: log)
        do {
            look.figures = try await ledger.figures()
        } catch {
            look.failure = "\(error)"
        }
        return look
    }

    /// What is wrong, for the operator; nil: nothing.
    var detail: String? {
        failure ?? obstacle.map { "the ledger cannot be written: \($0)" }
    }

    /// What is right, and should be looked at; nil: nothing.
    var notice: String? {
        logBytes > LedgerFile.largeLogBytes
            ? "its log has \(logBytes >> 20) MiB: something may keep a read transaction open. 'stocktake doctor' says who"
            : nil
    }
}
