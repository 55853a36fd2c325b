import ArgumentParser
import Ledger
import StrictJSON

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "What operators have done.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists what operators have done to the ledger, latest first, and who they were.",
            discussion: """
                Customers' data that was looked at or erased, dead letters that were replayed or discarded, repairs that were asked for, \
                ledgers that were restored or adopted. BY is the user of the operating system. Catalogues are in \
                'catalogue history', adjustments in 'adjustments list'. Exit codes: 0; 2 the ledger cannot be read.
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
