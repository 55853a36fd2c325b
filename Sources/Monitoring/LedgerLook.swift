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

    /// Never throws: a ledger that cannot be read is a finding.
    static func take(_ ledger: LedgerDatabase) async -> LedgerLook {
        let path = ledger.path
        var look = LedgerLook(
            obstacle: await ledger.obstacle(),
            bytes: await offCooperativeThreads { LedgerFile.size(of: path) + LedgerFile.size(of: path + "-wal") })
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
}
