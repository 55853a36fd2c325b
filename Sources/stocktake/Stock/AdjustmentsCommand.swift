import ArgumentParser
import Domain
import Ledger
import StrictJSON
import TextEncodings

struct AdjustmentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjustments", abstract: "Adjustments of units sold ('stocktake stock adjust').",
        subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists adjustments, latest first.")

        @OptionGroup var options: SettingsOptions

        @OptionGroup var page: PageOptions

        func run() async throws {
            let ledger = try await openForReading(options)
            defer { try? ledger.close() }
            let adjustments = try await ledger.adjustments(limit: page.limit, after: page.after)
            if page.json {
                printJSON(
                    .members([
                        "adjustments": .array(adjustments.elements.map(\.json)), "next": .text(adjustments.next),
                    ]))
                return
            }
            var table = Table([
                ("ADJUSTMENT", .left), ("PRODUCT", .left), ("VARIANT", .left), ("SOLD", .right), ("SEQ", .right),
                ("DECIDED", .left), ("REASON", .left),
            ])
            for recorded in adjustments.elements {
                let adjustment = recorded.adjustment
                table.add([
                    adjustment.adjustmentID.text, adjustment.sku.productID.text,
                    adjustment.sku.variantID?.text ?? "", adjustment.units.signed, recorded.seq.grouped,
                    recorded.decidedAt, adjustment.reason,
                ])
            }
            table.print()
            page.tellNext(adjustments.next)
        }
    }
}

extension Int64 {
    /// The number with its sign: "+5", "-3".
    fileprivate var signed: String { (self > 0 ? "+" : "") + grouped }
}

extension RecordedAdjustment {
    var json: JSONValue {
        .members([
            "id": .string(adjustment.adjustmentID.text), "product_id": .string(adjustment.sku.productID.text),
            "variant_id": .text(adjustment.sku.variantID?.text), "sold": .integer(adjustment.units),
            "reason": .string(adjustment.reason), "adjusted_at": .text(adjustment.adjustedAt), "seq": .integer(seq),
            "decided_at": .string(decidedAt), "entry_id": .string(entryID),
        ])
    }
}
