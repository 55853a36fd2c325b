import ArgumentParser
import Ledger
import StrictJSON
import TextEncodings

struct RepairsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repairs", abstract: "Repairs of drift and of miscounts.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists repairs, latest first.")

        @OptionGroup var options: SettingsOptions

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let repairs = try await ledger.repairs(limit: page.limit, after: page.after)
            if page.json {
                printJSON(
                    .members(["repairs": .array(repairs.elements.map(\.json)), "next": .text(repairs.next)]))
                return
            }
            var table = Table([
                ("REPAIRED", .left), ("PLACE", .left), ("LEVEL", .left), ("ID", .left), ("FOUND", .right),
                ("EXPECTED", .right), ("DETAIL", .left), ("EPOCH", .right), ("REASON", .left),
            ])
            for recorded in repairs.elements {
                let repair = recorded.repair
                table.add([
                    recorded.repairedAt, repair.place.rawValue, repair.level?.rawValue ?? "field", repair.id,
                    repair.found?.grouped ?? "none", repair.expected?.grouped ?? "none", repair.detail,
                    String(recorded.epoch), recorded.reason,
                ])
            }
            table.print()
            page.tellNext(repairs.next)
        }
    }
}

extension RecordedRepair {
    fileprivate var json: JSONValue {
        .members([
            "id": .integer(number), "repaired_at": .string(repairedAt), "place": .string(repair.place.rawValue),
            "level": .text(repair.level?.rawValue), "counter_id": .string(repair.id),
            "found": .integer(repair.found), "expected": .integer(repair.expected), "detail": .string(repair.detail),
            "epoch": .integer(epoch), "reason": .string(reason),
        ])
    }
}
