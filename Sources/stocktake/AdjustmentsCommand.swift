import ArgumentParser
import Ingest
import Domain
import Ledger
import Operations
import StrictJSON
import TextEncodings

struct AdjustmentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjustments", abstract: "Units sold past the orders ('stocktake stock adjust').",
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

struct StockAdjustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust",
        abstract: "Counts units as sold, or not, that no order is for: sold elsewhere, samples, sold before.",
        discussion: """
            Goes through the stream like an order, is kept for good, and is a fact: no cap refuses it. What it takes away \
            (--sold -3) must have been added by earlier adjustments, or have been cancelled without restock; units of \
            orders come back by cancellations. What the ledger shows to be wrong is not sent. After a failure repeat it \
            with the --id that was printed: under one id it counts once. Exit codes: 0 recorded, or sent while no \
            consumer runs; 1 the ledger shows it to be wrong, or it became a dead letter; 2 Redis could not be reached, or \
            it is not known whether it was sent.
            """)

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("The product's id.", valueName: "PRODUCT"))
    var product: String

    @Argument(help: ArgumentHelp("The variant's id, if the product has variants.", valueName: "VARIANT"))
    var variant: String?

    // Unconditional: -3 is a value, not a flag.
    @Option(parsing: .unconditional, help: "Units to add to what is sold; negative takes away.")
    var sold: Int64

    @Option(help: "Why: kept with it.")
    var reason: String

    @Option(help: "An id of your own; the same one again changes nothing. Default: a random one.")
    var id: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if sold == 0 || abs(sold.clamped) > Limit.adjustment {
            throw ValidationError("--sold must be from -\(Limit.adjustment) to \(Limit.adjustment), and not 0.")
        }
        if reason.isEmpty { throw ValidationError("--reason must say why.") }
        if let id, let violation = Identifier.violation(in: id) { throw ValidationError("--id \(violation).") }
    }

    func run() async throws {
        let settings = try options.resolve()
        let ledger = try await settings.ledger.openReader(settings.store)
        defer { try? ledger.close() }
        let adjustment = Adjustment(
            adjustmentID: id.map { Identifier($0) } ?? .random("adj"),
            sku: SKU(Identifier(product), variant.map { Identifier($0) }), units: sold, reason: reason,
            adjustedAt: Timestamp.now(), by: await OperatingSystemUser.name())
        let client = settings.client()
        let submission = CommandSubmission(
            ledger: ledger, lease: settings.ledger.lease, publisher: RedisMessagePublisher(settings.keys, client))
        let result: CommandSubmission.Result
        do {
            result = try await submission.run(
                .adjust(adjustment), payload: adjustment.payload,
                objection: { try await ledger.objection(to: adjustment) },
                willSend: { if id == nil { printError("sending \(adjustment.adjustmentID)") } })
            await client.close()
        } catch let failure as CommandSubmission.Failure {
            throw Failure(
                "\(explained(failure.cause)) The adjustment was \(failure.sent.text). Repeat it under its id, under which it counts once: \(RepeatCommand.command(after: "adjust", id: adjustment.adjustmentID))"
            )
        }
        try await tell(result, of: adjustment.adjustmentID, ledger)
    }

    private func tell(
        _ result: CommandSubmission.Result, of id: Identifier, _ ledger: any LedgerReader
    ) async throws {
        switch result {
        case .recorded: try await tell(recorded: id, ledger)
        case .objection(let cause):
            let end = cause.detail.hasSuffix("?") ? "" : "."
            printError("not adjusted: \(cause.reason.rawValue): \(cause.detail)\(end) Nothing was sent.")
            throw Exit.no
        case .deadLetter(let letter):
            printError("not adjusted: \(letter.reason): \(letter.detail) (dead letter \(letter.number))")
            throw Exit.no
        case .sent where json: printJSON(.members(["id": .string(id.text), "seq": .null]))
        case .sent: print("sent as \(id); it is recorded when a consumer runs and gets to it")
        }
    }

    private func tell(recorded id: Identifier, _ ledger: any LedgerReader) async throws {
        guard let recorded = try await ledger.adjustment(id) else { return }
        if json { return printJSON(recorded.json) }
        print(
            "recorded as \(recorded.adjustment.adjustmentID), seq \(recorded.seq.grouped): \((try? await figures(ledger)) ?? "")"
        )
    }

    private func figures(_ ledger: any LedgerReader) async throws -> String {
        let stock = try await ledger.stock().products.first { $0.id == Identifier(product) }
        guard let availability = stock?.availability() else { return "" }
        let figures = availability.variants.first { $0.id.text == variant } ?? availability.product
        let left = figures.available.map { "\($0.grouped) left" } ?? "unlimited"
        return "\(figures.id) \(figures.sold.grouped) sold, \(left)"
    }
}

extension CommandSubmission.Failure.Sent {
    var text: String {
        switch self {
        case .no: "not sent"
        case .perhaps: "perhaps sent"
        case .yes: "sent"
        }
    }
}

extension Int64 {
    /// +5, -3.
    fileprivate var signed: String { (self > 0 ? "+" : "") + grouped }

    /// A number whose magnitude can be taken.
    fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}

extension RecordedAdjustment {
    fileprivate var json: JSONValue {
        .members([
            "id": .string(adjustment.adjustmentID.text), "product_id": .string(adjustment.sku.productID.text),
            "variant_id": .text(adjustment.sku.variantID?.text), "sold": .integer(adjustment.units),
            "reason": .string(adjustment.reason), "adjusted_at": .text(adjustment.adjustedAt), "seq": .integer(seq),
            "decided_at": .string(decidedAt), "entry_id": .string(entryID),
        ])
    }
}
