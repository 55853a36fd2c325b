import ArgumentParser
import Domain
import Ledger
import StrictJSON
import TextEncodings

extension OrdersCommand {
    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Lists all events of one order in chronological order: who did what, when, and where it is recorded.",
            discussion: """
                The events are the order, its cancellations and refunds, dead letters with its id, and operators' actions on \
                them. PLACE is the epoch and the position in the journal. No customer's data is shown. Exit codes: \
                0 success; 1 nothing has this id; 2 the ledger cannot be read.
                """)

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The order's id.", valueName: "ID"))
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let history = try await ledger.history(of: Identifier(id))
            if history.rows.isEmpty, history.audit.isEmpty {
                printError("nothing in the ledger has the order id \"\(id)\"".printable)
                throw Exit.no
            }
            if json { return printJSON(.members(["history": .array(history.events.map(\.json))])) }
            var table = Table([
                ("WHEN", .left), ("PLACE", .left), ("WHAT", .left), ("ID", .left), ("OUTCOME", .left),
                ("UNITS", .right),
                ("SEQ", .right), ("BY", .left),
            ])
            for event in history.events {
                switch event {
                case .row(let row):
                    table.add([
                        row.decidedAt, row.place.text, row.kind.rawValue, row.shownID, row.outcomeText,
                        row.units?.grouped ?? "", row.seq?.grouped ?? "", row.by ?? "",
                    ])
                case .audit(let entry):
                    table.add([entry.doneAt, "", entry.action.rawValue, entry.subject, "", "", "", entry.by ?? ""])
                }
            }
            table.print()
        }
    }
}

private enum Event {
    case row(JournalEntry)
    case audit(AuditEntry)

    var time: String {
        switch self {
        case .row(let row): row.decidedAt
        case .audit(let entry): entry.doneAt
        }
    }

    var json: JSONValue {
        switch self {
        case .row(let row):
            .members([
                "at": .string(row.decidedAt), "what": .string(row.kind.rawValue), "id": .string(row.shownID),
                "epoch": .integer(row.epoch), "position": .integer(row.position), "outcome": .string(row.outcome),
                "reason": .text(row.reason), "units": .integer(row.units), "seq": .integer(row.seq),
                "entry_id": .text(row.entryID), "by": .text(row.by),
            ])
        case .audit(let entry):
            .members([
                "at": .string(entry.doneAt), "what": .string(entry.action.rawValue), "id": .string(entry.subject),
                "by": .text(entry.by),
            ])
        }
    }
}

extension OrderHistory {
    /// The events in time order; those of the same time in the order of their positions.
    fileprivate var events: [Event] {
        let all = rows.map(Event.row) + audit.map(Event.audit)
        return all.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}

extension JournalEntry {
    /// The entry's key; for a dead letter its number, which commands take.
    fileprivate var shownID: String { kind == .deadLetter ? number.map { String($0) } ?? "" : key.text }

    fileprivate var outcomeText: String { outcome + (reason.map { " (\($0))" } ?? "") }
}
