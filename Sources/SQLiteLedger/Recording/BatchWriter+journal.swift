import Domain
import Ledger

/// Inserts the rows of the journal.
extension BatchWriter {
    private static let insertRows = MultiRowStatement(
        inserting: [
            "position", "kind", "key", "digest", "outcome", "reason", "seq", "epoch", "units", "decided_at", "entry_id",
            "number", "\"by\"",
        ], into: "journal")

    /// Inserts one row for each of the batch's records, in stream order.
    func insertJournal() throws {
        var (orders, letters) = (lastOrderNumber, lastLetterNumber)
        try Self.insertRows.run(batch.records.indices, in: db, texts) { row, place in
            row.bind(position(ofRecord: place))
            switch batch.records[place] {
            case .command(let decided):
                if case .placeOrder(let order) = decided.planned.command {
                    orders += 1
                    bind(&row, order, decided, number: orders)
                } else {
                    bind(&row, decided)
                }
            case .deadLetter(let deadLetter):
                letters += 1
                bind(&row, deadLetter, number: letters)
            }
        }
    }

    /// Creates no `Outcome`, unlike for the other commands: nearly all rows are orders, and an outcome copies their
    /// strings.
    private func bind(_ row: inout RawStatement, _ order: Order, _ decided: DecidedCommand, number: Int64) {
        assert(decided.decision != .unchanged, "an order without units")
        let shortage = decided.decision.shortage
        row.bind(JournalKind.order.rawValue)
        row.bind(order.id)
        row.bind(blob: order.digest)
        row.bind(shortage == nil ? "accepted" : "refused")
        row.bind(shortage?.reason.rawValue)
        row.bind(decided.decision.seq)
        row.bind(batch.epoch)
        row.bind(order.checkout.units)
        row.bind(decided.decidedAt)
        row.bind(decided.entryID)
        row.bind(number)
        row.bind(order.checkout.by)
    }

    private func bind(_ row: inout RawStatement, _ decided: DecidedCommand) {
        let outcome = Outcome(decided)
        row.bind(JournalKind(decided.command.kind).rawValue)
        row.bind(decided.command.key.id)
        row.bind(blob: decided.command.digest)
        row.bind(outcome.kind.rawValue)
        row.bind(outcome.reason.isEmpty ? nil : outcome.reason)
        row.bind(outcome.seq)
        row.bind(batch.epoch)
        row.bind(outcome.units)
        row.bind(decided.decidedAt)
        row.bind(decided.entryID)
        row.bind(Int64?.none)
        row.bind(decided.command.by)
    }

    private func bind(_ row: inout RawStatement, _ deadLetter: NewDeadLetter, number: Int64) {
        row.bind(JournalKind.deadLetter.rawValue)
        row.bind(deadLetter.key.journalKey)
        row.bind(blob: deadLetter.key.fingerprint)
        row.bind(Outcome.Kind.deadLetter.rawValue)
        row.bind(deadLetter.cause.reason.rawValue)
        row.bind(Int64?.none)
        row.bind(batch.epoch)
        row.bind(Int64?.none)
        row.bind(deadLetter.receivedAt)
        row.bind(deadLetter.key.entryID)
        row.bind(number)
        row.bind(String?.none)
    }
}
