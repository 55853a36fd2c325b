import ArgumentParser
import Domain
import Ledger
import StrictJSON
import TextEncodings

struct CatalogueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "Changes to the catalogue ('stocktake sync').", subcommands: [History.self])

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists changes of products and variants, latest first, with the values before and after.",
            discussion: "Exit codes: 0 success; 1 the id is unknown; 2 the ledger cannot be read.")

        @OptionGroup var options: SettingsOptions

        @Argument(help: ArgumentHelp("The id of a product or variant. Default: all.", valueName: "ID"))
        var id: String?

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let id = id.map { Identifier($0) }
            let changes = try await ledger.catalogueChanges(of: id, limit: page.limit, after: page.after)
            // Every product and variant has at least the change that added it.
            if let id, changes.elements.isEmpty, page.after == nil {
                printError("no product or variant \"\(id)\" in the ledger")
                throw Exit.no
            }
            if page.json {
                printJSON(
                    .members(["changes": .array(changes.elements.map(\.json)), "next": .text(changes.next)]))
                return
            }
            var table = Table([
                ("VERSION", .right), ("CHANGED", .left), ("BY", .left), ("WHAT", .left), ("ID", .left),
                ("COLUMN", .left), ("BEFORE", .left), ("AFTER", .left),
            ])
            for change in changes.elements {
                func words(_ value: KeyPath<ColumnChange, ColumnChange.Value>) -> String {
                    change.column.map { $0.words(for: $0[keyPath: value]) ?? "(long)" } ?? ""
                }
                table.add([
                    change.version.grouped, change.changedAt, change.by ?? "",
                    "\(change.kind.rawValue) \(change.counter.level.rawValue)", change.counter.id.text,
                    change.column?.column ?? "", words(\.before), words(\.after),
                ])
            }
            table.print()
            page.tellNext(changes.next)
        }
    }
}

extension RecordedCatalogueChange {
    fileprivate var json: JSONValue {
        .members([
            "version": .integer(version), "epoch": .integer(place.epoch), "position": .integer(place.position),
            "changed_at": .string(changedAt), "by": .text(by), "kind": .string(kind.rawValue),
            "level": .string(counter.level.rawValue), "id": .string(counter.id.text), "column": .text(column?.column),
            "before": column?.before.json ?? .null, "after": column?.after.json ?? .null,
        ])
    }
}

extension ColumnChange.Value {
    fileprivate var json: JSONValue {
        switch self {
        case .none: .null
        case .integer(let number): .integer(number)
        case .text(let text): .string(text)
        }
    }
}
