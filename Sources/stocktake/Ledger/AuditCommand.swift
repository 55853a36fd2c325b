import ArgumentParser
import Ledger
import StrictJSON

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Operators' actions.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists operators' actions on the ledger and who took them, latest first.",
            discussion: """
                The actions are: customers' data viewed or erased, dead letters replayed or discarded, repairs requested, \
                ledgers restored or adopted. BY is the operating system's user. For changes of the catalogue see \
                'catalogue history', for adjustments 'adjustments list'. Exit codes: 0 success; 2 the ledger cannot be read.
                """)

        @OptionGroup var options: SettingsOptions

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let entries = try await ledger.audit(limit: page.limit, after: page.after)
            if page.json {
                printJSON(.members(["audit": .array(entries.elements.map(\.json)), "next": .text(entries.next)]))
                return
            }
            var table = Table([("DONE", .left), ("BY", .left), ("WHAT", .left), ("OF", .left)])
            for entry in entries.elements {
                table.add([entry.doneAt, entry.by ?? "", entry.action.rawValue, entry.subject])
            }
            table.print()
            page.tellNext(entries.next)
        }
    }
}

extension AuditEntry {
    fileprivate var json: JSONValue {
        .members([
            "id": .integer(number), "done_at": .string(doneAt), "by": .text(by), "action": .string(action.rawValue),
            "subject": .string(subject),
        ])
    }
}
